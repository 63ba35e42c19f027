// The page that checks evidence: files are read here and go nowhere.
import { verify } from "/verify/bundle_verifier.mjs";

const VALID = "VALID", INVALID = "INVALID", SKIPPED = "SKIPPED", ERROR = "ERROR";
const PROOF_BYTES_MAX = 64 * 1024, FILE_BYTES_MAX = 512 * 1024 * 1024;
const form = document.querySelector("form[data-verify]"), report = document.getElementById("report");
const words = JSON.parse(form.dataset.words);
const say = (text) => words[text] ?? text;

const hex = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
async function bytesOf(file, most = FILE_BYTES_MAX) {
  if (file.size > most) throw new Error(`${file.name} has more than ${most} bytes, which no page reads: check it by ledger-node verify`);
  return new Uint8Array(await file.arrayBuffer());
}
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));

// ---- a seal's proof: the same checks as `ledger-node hash verify --proof` -------------------------------------------

const isHex = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;

function readProof(bytes) {
  const fail = (why) => { throw new Error(why); };
  if (bytes.length > PROOF_BYTES_MAX) fail("it is too long");
  const proof = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (proof?.version !== 1 || proof.algorithm !== "SHA-256") fail("it is no proof of version 1");
  for (const name of ["salt", "commitment", "root"]) if (!isHex(proof[name])) fail(`${name} is no digest`);
  for (const name of ["size_bytes", "leaf_index", "tree_size"]) if (!isWhole(proof[name])) fail(`${name} is no number`);
  if (!Array.isArray(proof.audit_path) || proof.audit_path.length > 64 || !proof.audit_path.every(isHex)) fail("it has no path");
  return proof;
}

/** The root that a leaf's path leads to; null where no tree of that size has such a path. Source: RFC 9162, 2.1.3.2. */
async function rootOfPath(leaf, index, size, path) {
  if (index >= size) return null;
  let node = leaf, used = 0;
  for (let place = index, last = size - 1; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
    if (place % 2 === 0 && place >= last) continue; // without a partner at this level it rises as it is
    if (used === path.length) return null;
    const beside = path[used++];
    node = await (place % 2 ? sha256(Uint8Array.of(1), beside, node) : sha256(Uint8Array.of(1), node, beside));
  }
  return used === path.length ? node : null;
}

async function checkProof(bytes, file, root) {
  const steps = [], step = (checks, verdict, reason) => steps.push({ number: steps.length + 1, checks, verdict, reason });
  let proof;
  try {
    proof = readProof(bytes);
    step("the proof can be read", VALID, `document ${proof.leaf_index} of ${proof.tree_size}`);
  } catch (error) {
    step("the proof can be read", INVALID, error.message);
    return { verdict: INVALID, steps };
  }
  const leaf = file ? await sha256(Uint8Array.of(0), unhex(proof.salt), await sha256(file)) : unhex(proof.commitment);
  const isFile = hex(leaf) === proof.commitment;
  step("the file is the one that was sealed", file ? (isFile ? VALID : INVALID) : SKIPPED, file ? `commitment ${hex(leaf)}` : "no file was given");
  step("its size", file ? (file.length === proof.size_bytes ? VALID : INVALID) : SKIPPED, `${proof.size_bytes} bytes by the proof`);
  const reached = await rootOfPath(unhex(proof.commitment), proof.leaf_index, proof.tree_size, proof.audit_path.map(unhex));
  const leads = reached !== null && hex(reached) === proof.root;
  step("its place under the root", leads ? VALID : INVALID, reached ? `it leads to ${hex(reached)}` : "no tree has such a path");
  const word = `by the proof's own word in block ${proof.block_number}, transaction ${proof.transaction_id}: ask a node that you trust for the root of seal ${proof.seal_id}`;
  step("the root is the one that you gave", root ? (root === proof.root ? VALID : INVALID) : SKIPPED, root ? proof.root : word);
  const verdicts = steps.map((each) => each.verdict);
  return { verdict: verdicts.includes(INVALID) ? INVALID : verdicts.every((each) => each === VALID) ? VALID : SKIPPED, steps };
}

// ---- the page -------------------------------------------------------------------------------------------------------

const LAST = {
  VALID: "All of it holds.",
  INVALID: "It does not hold: see the steps that say INVALID.",
  SKIPPED: "Nothing was found false, but not all of it could be checked: see SKIPPED and ERROR.",
};

function element(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

function show({ verdict, steps }, isBundle) {
  const last = report.querySelector("[data-part=last]");
  last.textContent = say(LAST[verdict]);
  last.className = `note ${verdict === VALID ? "good" : verdict === INVALID ? "bad" : ""}`;
  report.querySelector("ol").replaceChildren(...steps.map((step) => {
    const row = element("li", "", { className: step.verdict });
    const told = element("div", "");
    told.append(element("strong", say(step.checks)), " ", element("span", step.verdict, { className: "help" }), element("p", step.reason, { lang: "en", className: "wrap" }));
    row.append(element("span", { VALID: "✓", INVALID: "✕" }[step.verdict] ?? "…", { className: "light", ariaHidden: "true" }), told);
    return row;
  }));
  report.querySelector("[data-part=limits]").hidden = !isBundle;
  report.hidden = false;
  last.focus();
}

const isProof = (bytes) => bytes.length <= PROOF_BYTES_MAX && new TextDecoder().decode(bytes).includes('"audit_path"');

async function check() {
  const { evidence, trust, documents, root } = form.elements;
  const bytes = await bytesOf(evidence.files[0]);
  if (isProof(bytes)) {
    const file = documents.files.length ? await bytesOf(documents.files[0]) : null;
    return show(await checkProof(bytes, file, root.value.trim().toLowerCase()), false);
  }
  if (!trust.files.length) throw new Error("no trust file was given: have a member of the channel that you trust make it");
  const files = await Promise.all([...documents.files].map(async (each) => {
    try {
      return { name: each.name, bytes: await bytesOf(each) };
    } catch (error) { // one that cannot be read does not keep the others from being checked
      return { name: each.name, fault: error.message };
    }
  }));
  return show(await verify(bytes, await bytesOf(trust.files[0]), files), true);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.elements.check.disabled = true;
  form.ariaBusy = "true";
  try {
    await check();
  } catch (error) { // a file that was moved or cannot be read while it is
    show({ verdict: SKIPPED, steps: [{ number: 1, checks: "the files can be read", verdict: ERROR, reason: error.message }] }, false);
  } finally {
    form.elements.check.disabled = false;
    form.ariaBusy = "false";
  }
});
form.hidden = false;
