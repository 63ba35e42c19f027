// A person's signing key: made in this browser and never to be read out of it, not by the node either. What is signed is
// told from the very bytes, and what stands on the page is held against them once more before the key is used.
"use strict";

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const CURVE = { name: "ECDSA", namedCurve: "P-256" }, SIGNING = { name: "ECDSA", hash: "SHA-256" };
const FINGERPRINT_DIGITS = 32;

// ---- where the keys are ---------------------------------------------------------------------------------------------

const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function store(mode) {
  const opening = indexedDB.open("ledger-node", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  return (await answered(opening)).transaction("keys", mode).objectStore("keys");
}

/** The key of a person in this browser: `{ privateKey, publicKey }`; undefined where there is none. */
const keyOf = async (login) => answered((await store("readonly")).get(login));

async function makeKey(login) {
  const made = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]); // false: nobody reads the private one
  await answered((await store("readwrite")).put(made, login));
  await navigator.storage?.persist?.();
  return made;
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(new Uint8Array(bytes), (each) => each.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const spki = async (key) => new Uint8Array(await crypto.subtle.exportKey("spki", key.publicKey));
const fingerprint = async (key) => hex(await crypto.subtle.digest("SHA-256", await spki(key))).slice(0, FINGERPRINT_DIGITS);

function der(tag, ...parts) {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const head = size < 128 ? [tag, size] : size < 256 ? [tag, 0x81, size] : [tag, 0x82, size >> 8, size & 255];
  return Uint8Array.from([head, ...parts].flatMap((part) => [...part]));
}

function integer(value) {
  const digits = value.toString(16), bytes = unhex(digits.length % 2 ? `0${digits}` : digits);
  return der(0x02, bytes[0] > 127 ? [0, ...bytes] : bytes);
}

/** A signature over SHA-256 of `content` in DER, with the smaller of the two S that hold, as Fabric wants it. */
async function signed(key, content) {
  const raw = hex(await crypto.subtle.sign(SIGNING, key.privateKey, content));
  const [r, s] = [raw.slice(0, 64), raw.slice(64)].map((half) => BigInt(`0x${half}`));
  return der(0x30, integer(r), integer(s > P256_ORDER / 2n ? P256_ORDER - s : s));
}

/** A request for a certificate, PKCS #10 in PEM. Source: RFC 2986. */
async function request(key, name) {
  const common = der(0x31, der(0x30, unhex("0603550403"), der(0x0c, utf8(name))));
  const asked = der(0x30, unhex("020100"), der(0x30, common), await spki(key), der(0xa0));
  const whole = der(0x30, asked, der(0x30, unhex("06082a8648ce3d040302")), der(0x03, [0], await signed(key, asked)));
  const lines = base64(whole).match(/.{1,64}/g).join("\n");
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
}

// ---- words ----------------------------------------------------------------------------------------------------------

function amount(minor, digits, language) {
  const text = String(Math.abs(minor)).padStart(digits + 1, "0"), [group, point] = language === "de" ? [".", ","] : [",", "."];
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, group);
  return (minor < 0 ? "-" : "") + whole + (digits ? point + text.slice(-digits) : "");
}

/** What a message says, as rows of a label and words, in the order in which it says it; `known` has words for its codes. */
export function inWords(message, known, language) {
  const { type, body, ...frame } = JSON.parse(message);
  const said = (field, value) => {
    if (Array.isArray(value)) return value.map((each) => said(field, each)).join("; ");
    if (value !== null && typeof value === "object") return rows(value).map(([name, words]) => `${name}: ${words}`).join("; ");
    if (typeof value === "number" && field.endsWith("_minor")) return `${amount(value, known.digits, language)} ${known.currency}`.trim();
    const words = Object.hasOwn(known.words, String(value)) ? known.words[String(value)] : "";
    return words && words !== String(value) ? `${words} (${value})` : String(value);
  };
  const label = (field) => known.labels[field] ?? field;
  const rows = (object) => Object.entries(object).map(([field, value]) => [label(field), said(field, value)]);
  return [[label("type"), known.labels[type] ?? type], ...rows(body), ...rows(frame)];
}

function show(list, rows) {
  list.replaceChildren(...rows.flatMap((row) => row.map((text, place) => {
    const part = document.createElement(place ? "dd" : "dt");
    part.textContent = text;
    return part;
  })));
}

const shown = (list) => JSON.stringify([...list.children].map((part) => part.textContent));

// ---- the two pages --------------------------------------------------------------------------------------------------

const part = (page, name) => page.querySelector(`[data-part="${name}"]`);
const grouped = (digits) => digits.match(/.{1,4}/g).join(" ");

/** Fill a form when its button is used, and send it if that says so; a second click meanwhile is none. */
function once(form, fill) {
  const button = form.querySelector("button");
  button.addEventListener("click", async () => {
    button.disabled = true; // and stays so once it is sent: the next signature would be another one, and be refused
    let isSent = false;
    try {
      isSent = await fill(form.elements);
      if (isSent) form.submit();
    } finally {
      button.disabled = isSent;
    }
  });
  addEventListener("pageshow", () => { button.disabled = false; });
}

async function keyPage(page) {
  const { login, name, requested, enrolled } = page.dataset;
  const say = async () => {
    const key = await keyOf(login), print = key ? await fingerprint(key) : "";
    const isEnrolled = print && enrolled.split(" ").includes(print);
    const state = isEnrolled ? "enrolled" : enrolled ? "elsewhere" : print && print === requested ? "requested" : "none";
    for (const each of page.querySelectorAll("[data-when]")) each.hidden = !each.dataset.when.split(" ").includes(state);
    for (const each of page.querySelectorAll("[data-fingerprint]")) each.textContent = print ? grouped(print) : "";
  };
  once(part(page, "make"), async (fields) => {
    const key = (await keyOf(login)) ?? (await makeKey(login));
    fields.request.value = await request(key, name);
    return true;
  });
  await say();
}

async function signingPage(page) {
  const { login, known, language } = page.dataset, message = part(page, "message").textContent, list = part(page, "words");
  const told = () => inWords(message, JSON.parse(known), language);
  show(list, told());
  const key = await keyOf(login);
  part(page, "sign").hidden = !key;
  part(page, "no-key").hidden = Boolean(key);
  once(part(page, "sign"), async (fields) => {
    const fresh = document.createElement("dl");
    show(fresh, told());
    const isSame = shown(fresh) === shown(list) && message === part(page, "message").textContent;
    part(page, "differs").hidden = isSame;
    if (isSame) fields.signature.value = base64(await signed(key, utf8(message)));
    return isSame;
  });
}

const pages = { "[data-signing-key]": keyPage, "[data-signing]": signingPage };
for (const [selector, start] of Object.entries(pages)) {
  const page = document.querySelector(selector);
  if (page) await start(page);
}
