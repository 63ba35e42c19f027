// Checks an evidence bundle, in a browser or in Node, without any dependency and without sending anything anywhere.
// Written from docs/reference/bundle.md, not from the verifier in Python: the two are to agree because of the page.

const VALID = "VALID", INVALID = "INVALID", ERROR = "ERROR", SKIPPED = "SKIPPED";
const BUNDLE_BYTES_MAX = 64 * 1024 * 1024, TRUST_BYTES_MAX = 8 * 1024 * 1024;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const JWS_TYPE = "ledger-node-evidence+json";

class Malformed extends Error {}
class Uncheckable extends Error {}
class OtherSpelling extends Malformed {}

// ---- bytes ----------------------------------------------------------------------------------------------------------

const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("no UTF-8");
  }
};
const hex = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
const unhex = (string) => Uint8Array.from(string.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const same = (a, b) => a.length === b.length && a.every((each, place) => each === b[place]);

const joined = (...parts) => joinedAll(parts);

function joinedAll(parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function digest(...parts) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts))));
}

function base64(string) {
  if (typeof string !== "string" || string.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(string)) {
    throw new Malformed("no base64");
  }
  const bytes = Uint8Array.from(atob(string), (each) => each.charCodeAt(0));
  if (toBase64(bytes) !== string) throw new Malformed("another spelling in base64");
  return bytes;
}

function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(binary);
}

const toBase64url = (bytes) => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function base64url(string) {
  if (typeof string !== "string" || !/^[A-Za-z0-9_-]*$/.test(string)) throw new Malformed("no base64url");
  const padding = "=".repeat((4 - (string.length % 4)) % 4);
  if (padding.length === 3) throw new Malformed("no base64url");
  return base64(string.replaceAll("-", "+").replaceAll("_", "/") + padding);
}

// ---- canonical JSON -------------------------------------------------------------------------------------------------

function canonical(value) {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Malformed("text that is not Unicode");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Malformed("a number that is not whole, or too large");
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${canonical(name)}:${canonical(value[name])}`).join(",")}}`;
}

function decode(bytes, what) {
  let value;
  try {
    value = JSON.parse(text(bytes));
    if (!same(utf8(canonical(value)), bytes)) throw new Malformed("not in its canonical form");
  } catch (error) {
    throw new Malformed(`${what}: ${error.message}`);
  }
  return value;
}

// ---- the form of both files: a function per kind of value, which returns what it stands for --------------------------

const pattern = (expression) => (value) => {
  if (typeof value !== "string" || !expression.test(value)) throw new Malformed("text of another form");
  return value;
};
const anyText = (value) => {
  if (typeof value !== "string") throw new Malformed("no text");
  return value;
};
const only = (wanted) => (value) => {
  if (value !== wanted) throw new Malformed(`not ${wanted}`);
  return value;
};
const oneOf = (...wanted) => (value) => {
  if (!wanted.includes(value)) throw new Malformed(`none of ${wanted}`);
  return value;
};
const whole = (least) => (value) => {
  if (!Number.isSafeInteger(value) || value < least) throw new Malformed("no such number");
  return value;
};
const list = (kind, least = 0, most = Infinity) => (value) => {
  if (!Array.isArray(value) || value.length < least || value.length > most) throw new Malformed("no such list");
  return value.map(kind);
};
const orNull = (kind) => (value) => (value === null ? null : kind(value));
const mapping = (name, kind) => (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Malformed("no object");
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [name(key), kind(each)]));
};
const object = (kinds) => (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Malformed("no object");
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(kinds, name));
  if (unknown !== undefined) throw new Malformed(`${unknown} is not known here`);
  const read = {};
  for (const [name, kind] of Object.entries(kinds)) {
    if (!Object.hasOwn(value, name)) throw new Malformed(`${name} is missing`);
    try {
      read[name] = kind(value[name]);
    } catch (error) {
      throw new Malformed(`${name}: ${error.message}`);
    }
  }
  return read;
};

const name = pattern(/^[!-~]{1,200}$/), hash = pattern(/^[0-9a-f]{64}$/), number = whole(0);
const time = (value) => {
  pattern(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/)(value);
  const at = new Date(value);
  if (value < "0001" || Number.isNaN(at.getTime()) || at.toISOString().replace(".000", "") !== value) throw new Malformed("no time");
  return value;
};
const signatureOf = object({ endorser: base64, payload: base64, signature: base64 });
const Jws = object({ payload: base64url, signatures: list(object({ protected: base64url, signature: base64url }), 0, 8) });
const Es256Header = object({ alg: only("ES256"), typ: only(JWS_TYPE), x5c: list(base64, 1, 1) });
const MlDsaHeader = object({ alg: only("ML-DSA-65"), kid: hash, typ: only(JWS_TYPE) });
const Bundle = object({
  blocks: list(object({
    data: orNull(list(base64)), data_hash: hash, number, previous_hash: pattern(/^([0-9a-f]{64})?$/),
    signatures: list(object({ header: base64, signature: base64 }), 0, 1000), value: base64,
  }), 1),
  chaincode: name, channel: name,
  documents: list(object({ commitment: hash, digest: hash, id: name, salt: hash })),
  format: only("ledger-node-evidence"), genesis: hash, issued_at: time, issuer: name,
  records: list(object({ key: pattern(/^[!-~]{1,500}$/), transaction: hash, value: anyText }), 1),
  subject: object({ id: name, kind: oneOf("document", "invoice") }),
  transactions: list(object({
    answers: list(signatureOf, 0, 1000), block: number, envelope: base64, id: hash, index: number, question: base64,
  }), 1),
  version: only(1),
});
const rule = (value) => object({ msp_id: anyText, out_of: number, role: anyText, rules: list(rule) })(value);
const Trust = object({
  chaincode: name, channel: name,
  configurations: list(object({
    block: number,
    consenters: list(object({ certificate: anyText, msp_id: name, number })),
    endorsement: rule,
    members: list(object({
      authorities: list(anyText), intermediates: list(anyText), msp_id: name,
      revoked: list(pattern(/^[0-9a-f]{1,40}$/)), units: mapping(name, anyText),
    })),
    quorum: whole(1),
  }), 1),
  format: only("ledger-node-trust"), genesis: hash,
  keys: list(object({ alg: only("ML-DSA-65"), msp_id: name, public: base64 })),
  taken_at: time, taken_by: name, version: only(1),
});

// ---- Protocol Buffers: only what the page names ---------------------------------------------------------------------

class Message {
  constructor(bytes) {
    this.fields = new Map();
    let at = 0, before = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        if (at >= bytes.length) throw new Malformed("a message is cut off");
        const each = bytes[at++];
        value |= BigInt(each & 0x7f) << shift;
        if (each === 0 && shift > 0n) throw new OtherSpelling("a number in a longer spelling");
        if (each < 0x80) return BigInt.asUintN(64, value);
      }
      throw new Malformed("a number is too long");
    };
    const piece = (size) => {
      if (size > bytes.length - at) throw new Malformed("a message is cut off");
      return bytes.subarray(at, (at += size));
    };
    while (at < bytes.length) {
      const tag = varint(), kind = Number(tag & 7n), field = Number(tag >> 3n);
      if (field === 0) throw new Malformed("a field without a number");
      if (field < before) throw new OtherSpelling("fields in disorder");
      before = field;
      let value;
      if (kind === 0) value = varint();
      else if (kind === 2) value = piece(Number(varint()));
      else if (kind === 1) piece(8);
      else if (kind === 5) piece(4);
      else throw new Malformed("a field of an unknown kind");
      if (!this.fields.has(field)) this.fields.set(field, []);
      this.fields.get(field).push(value);
    }
  }
  all(field) {
    return (this.fields.get(field) ?? []).filter((each) => each instanceof Uint8Array);
  }
  one(field) {
    const found = this.fields.get(field) ?? [];
    if (found.length > 1) throw new OtherSpelling("a field is there twice");
    return found[0];
  }
  has(field) {
    return this.fields.has(field);
  }
  bytes(field) {
    const found = this.one(field);
    return found instanceof Uint8Array ? found : new Uint8Array();
  }
  text(field) {
    return text(this.bytes(field));
  }
  number(field) {
    const found = this.one(field);
    return typeof found === "bigint" ? found : 0n;
  }
  message(field) {
    return new Message(this.bytes(field));
  }
}

/** The fields of the messages from 1 on, each by its type: `*` repeated, `%` a map's entries, `?` one of those alone. */
const MESSAGES = {
  "Envelope": "bytes bytes", "Payload": "Header bytes", "Header": "bytes bytes",
  "ChannelHeader": "int32 int32 Timestamp string string uint64 bytes bytes", "Timestamp": "int64 int32",
  "SignatureHeader": "bytes bytes", "SerializedIdentity": "string bytes",
  "Transaction": "TransactionAction*", "TransactionAction": "bytes bytes",
  "ChaincodeActionPayload": "bytes ChaincodeEndorsedAction", "ChaincodeEndorsedAction": "bytes Endorsement*",
  "Endorsement": "bytes bytes", "ProposalResponsePayload": "bytes bytes",
  "ChaincodeAction": "bytes bytes Response ChaincodeID", "Response": "int32 string bytes", "ChaincodeID": "string string string",
  "ChaincodeProposalPayload": "bytes TransientMapEntry%", "TransientMapEntry": "string bytes",
  "ChaincodeInvocationSpec": "ChaincodeSpec", "ChaincodeSpec": "enum ChaincodeID ChaincodeInput int32",
  "ChaincodeInput": "bytes* DecorationsEntry% bool", "DecorationsEntry": "string bytes",
  "TxReadWriteSet": "enum NsReadWriteSet*", "NsReadWriteSet": "string bytes CollectionHashedReadWriteSet*",
  "CollectionHashedReadWriteSet": "string bytes bytes",
  "KVRWSet": "KVRead* RangeQueryInfo* KVWrite* KVMetadataWrite*", "KVRead": "string Version", "Version": "uint64 uint64",
  "RangeQueryInfo": "string string bool QueryReads? QueryReadsMerkleSummary?", "QueryReads": "KVRead*",
  "QueryReadsMerkleSummary": "uint32 uint32 bytes*", "KVWrite": "string bool bytes",
  "KVMetadataWrite": "string KVMetadataEntry*", "KVMetadataEntry": "string bytes",
  "IdentifierHeader": "uint32 bytes", "OrdererBlockMetadata": "LastConfig bytes", "LastConfig": "uint64",
  "Proposal": "bytes bytes bytes", "ProcessedTransaction": "Envelope int32"
};

/** A message that is in the one spelling of its content. */
function spelled(bytes, kind) {
  const state = { other: false };
  scan(bytes, kind, state);
  if (state.other) throw new OtherSpelling(`no ${kind} in its one spelling`);
  return new Message(bytes);
}

/** Look at every field of a message and of those within: what breaks it is thrown, another spelling only noted. */
function scan(bytes, kind, state) {
  const fields = MESSAGES[kind].split(" "), found = new Set(), keys = [];
  let at = 0, before = 0n;
  const fail = (text) => { throw new Malformed(`no ${kind}: ${text}`); };
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) fail("cut off");
      const each = bytes[at++];
      value |= BigInt(each & 0x7f) << shift;
      if (each === 0 && shift > 0n) state.other = true;
      if (each < 0x80) return BigInt.asUintN(64, value);
    }
    return fail("a number is too long");
  };
  const piece = (size) => {
    if (size > BigInt(bytes.length - at)) fail("cut off");
    return bytes.subarray(at, (at += Number(size)));
  };
  const skip = (wire, field) => {
    if (wire === 0) varint();
    else if (wire === 1) piece(8n);
    else if (wire === 5) piece(4n);
    else if (wire === 2) piece(varint());
    else if (wire !== 3) fail("a field of an unknown kind");
    while (wire === 3) {
      const tag = varint();
      if (tag >> 3n < 1n || tag > 0xffffffffn) fail("a field without a number");
      if (Number(tag & 7n) === 4) return void (tag >> 3n === field || fail("a group that is another's end"));
      skip(Number(tag & 7n), tag >> 3n);
    }
  };
  while (at < bytes.length) {
    const tag = varint(), wire = Number(tag & 7n), field = tag >> 3n;
    if (field < 1n || tag > 0xffffffffn) fail("a field without a number");
    const [, type, mark] = /^(\w+)([*%?]?)$/.exec(fields[Number(field) - 1] ?? "none");
    const isNumber = ["bool", "enum", "int32", "int64", "uint32", "uint64"].includes(type);
    if (type === "none" || wire !== (isNumber ? 0 : 2)) {
      state.other = true;
      skip(wire, field);
      continue;
    }
    const isMany = mark === "*" || mark === "%", place = mark === "?" ? "?" : field;
    if (field < before || (!isMany && found.has(place))) state.other = true;
    before = field;
    found.add(place);
    if (isNumber) {
      const value = varint();
      const narrow = { bool: 1n, uint32: BigInt.asUintN(32, value) }[type] ?? value;
      const plain = type === "enum" || type === "int32" ? BigInt.asUintN(64, BigInt.asIntN(32, value)) : narrow;
      if (value === 0n || value !== plain) state.other = true;
      continue;
    }
    const content = piece(varint());
    if (mark === "%") keys.push(entry(content, type, state));
    else if (Object.hasOwn(MESSAGES, type)) scan(content, type, state);
    else if (!content.length && !isMany) state.other = true;
    if (type === "string") text(content);
  }
  if (keys.some((key, number) => number > 0 && key <= keys[number - 1])) state.other = true;
}

/** The key of a map's entry, in hex: key and value stand in each, empty ones too. */
function entry(bytes, kind, state) {
  const own = { other: false };
  scan(bytes, kind, own);
  const message = new Message(bytes);
  const size = (field) => 1 + varintSize(message.bytes(field).length) + message.bytes(field).length;
  if (size(1) + size(2) !== bytes.length || bytes[0] !== 0x0a) state.other = true;
  return hex(message.bytes(1));
}

const varintSize = (number) => (number < 128 ? 1 : 1 + varintSize(number >> 7));

/** Whether bytes are exactly one envelope: a payload that is not empty, first and once, and all fields whole. */
function isEnvelope(bytes) {
  let at = 0, payloads = 0;
  const groups = [];
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new Malformed("cut off");
      const each = bytes[at++];
      value |= BigInt(each & 0x7f) << shift;
      if (each < 0x80) return value;
    }
    throw new Malformed("a number is too long");
  };
  const skip = (size) => {
    if (size > bytes.length - at) throw new Malformed("cut off");
    at += Number(size);
  };
  try {
    while (at < bytes.length) {
      const first = at === 0, tag = varint(), kind = Number(tag & 7n), field = tag >> 3n;
      if (field < 1n || field > 0x1fffffffn || (first && bytes[0] !== 0x0a)) return false;
      if (tag === 0x0an && !groups.length) payloads += 1;
      if (kind === 0) varint();
      else if (kind === 1) skip(8n);
      else if (kind === 5) skip(4n);
      else if (kind === 2) {
        const size = varint();
        if (first && size === 0n) return false;
        skip(size);
      } else if (kind === 3) groups.push(field);
      else if (kind !== 4 || groups.pop() !== field) return false;
    }
  } catch {
    return false;
  }
  return payloads === 1 && !groups.length;
}

// ---- DER, certificates, signatures ----------------------------------------------------------------------------------

function der(bytes, at = 0) {
  const fail = () => { throw new Malformed("no DER"); };
  if (bytes.length - at < 2) fail();
  const tag = bytes[at];
  let size = bytes[at + 1], start = at + 2;
  if (size > 127) {
    const count = size & 0x7f;
    if (count === 0 || count > 4 || start + count > bytes.length) fail();
    size = 0;
    for (let place = 0; place < count; place++) size = size * 256 + bytes[start + place];
    start += count;
  }
  if (start + size > bytes.length) fail();
  return { tag, content: bytes.subarray(start, start + size), whole: bytes.subarray(at, start + size), end: start + size };
}

function children(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at = found.at(-1).end) found.push(der(bytes, at));
  return found;
}

const integer = (content) => BigInt(`0x${hex(content) || "0"}`);

function derInteger(value) {
  let digits = value.toString(16);
  if (digits.length % 2) digits = `0${digits}`;
  let content = unhex(digits);
  if (content[0] > 127) content = joined(Uint8Array.of(0), content);
  return joined(Uint8Array.of(2, content.length), content);
}

function derTime({ tag, content }) {
  const digits = text(content);
  const short = tag === 0x17;
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(digits);
  if (!match || match[1].length !== (short ? 2 : 4)) throw new Malformed("no time in a certificate");
  const [, year, ...rest] = match;
  const [month, day, hour, minute, second] = rest.map(Number);
  const full = short ? (Number(year) < 50 ? 2000 : 1900) + Number(year) : Number(year);
  return Date.UTC(full, month - 1, day, hour, minute, second);
}

const OU = "060355040b", BASIC_CONSTRAINTS = "0603551d13";

function readCertificate(bytes) {
  if (der(bytes).end !== bytes.length) throw new Malformed("something follows a certificate");
  const [tbs, , signature] = children(der(bytes).content);
  const parts = children(tbs.content);
  const version = parts[0].tag === 0xa0 ? integer(children(parts.shift().content)[0].content) : 0n;
  if (version !== 0n && version !== 2n) throw new Malformed("a certificate of no known version");
  const [serial, , issuer, validity, subject, key, ...rest] = parts;
  const [since, until] = children(validity.content).map(derTime);
  const attributes = children(subject.content).flatMap((set) => children(set.content)).map((each) => children(each.content));
  const units = attributes.filter(([kind]) => hex(kind.whole) === OU).map(([, value]) => text(value.content));
  const extensions = rest.filter((each) => each.tag === 0xa3).flatMap((each) => children(der(each.content).content));
  const constraints = extensions.map((each) => children(each.content)).find(([kind]) => hex(kind.whole) === BASIC_CONSTRAINTS);
  const flag = constraints && children(der(constraints.at(-1).content).content)[0];
  return {
    serial: integer(serial.content), issuer: issuer.whole, subject: subject.whole, since, until, units, key: key.whole,
    tbs: tbs.whole, signature: signature.content.subarray(1),
    isAuthority: Boolean(flag && flag.tag === 1 && flag.content[0] !== 0),
  };
}

const PEM = /^[ \t\r\n]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/= \t\r\n]+)-----END CERTIFICATE-----[ \t\r\n]*$/;

function pemContent(pem) {
  const match = PEM.exec(pem);
  if (!match) throw new OtherSpelling("no certificate in PEM and nothing else");
  try {
    return base64(match[1].replace(/[ \t\r\n]/g, ""));
  } catch {
    throw new OtherSpelling("another spelling of base64 in PEM");
  }
}

const readPem = (pem) => readCertificate(pemContent(pem));

async function holdsRaw(certificate, raw, message) {
  try {
    const key = await crypto.subtle.importKey("spki", certificate.key, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, raw, message);
  } catch {
    return false;
  }
}

async function holds(certificate, signature, message, lowS = true) {
  let integers;
  try {
    const sequence = der(signature);
    integers = children(sequence.content);
    const minimal = integers.every(({ tag, content }) =>
      tag === 2 && content.length > 0 && content[0] < 128 && (content.length === 1 || content[0] > 0 || content[1] > 127));
    if (sequence.tag !== 0x30 || sequence.end !== signature.length || integers.length !== 2 || !minimal) return false;
  } catch {
    return false;
  }
  const [r, s] = integers.map((each) => integer(each.content));
  if (r >= P256_ORDER || s >= P256_ORDER || (lowS && s > P256_ORDER / 2n)) return false;
  return holdsRaw(certificate, unhex([r, s].map((each) => each.toString(16).padStart(64, "0")).join("")), message);
}

// ---- whom to believe ------------------------------------------------------------------------------------------------

class Believed {
  constructor(trust) {
    this.file = trust;
    const blocks = trust.configurations.map((each) => each.block);
    if (blocks.some((block, place) => place > 0 && block <= blocks[place - 1])) throw new Malformed("configurations in disorder");
    this.configurations = trust.configurations.map((each) => ({
      ...each,
      consenters: each.consenters.map((one) => ({ ...one, certificate: readPem(one.certificate) })),
      members: each.members.map((one) => ({
        ...one,
        authorities: one.authorities.map(readPem), intermediates: one.intermediates.map(readPem),
        revoked: new Set(one.revoked.map((serial) => BigInt(`0x${serial}`))),
      })),
    }));
  }
  get newest() {
    return this.configurations.at(-1);
  }
  inForce(block) {
    return this.configurations.filter((each) => each.block < block).at(-1);
  }
  since(block) {
    const force = this.inForce(block);
    return this.configurations.filter((each) => !force || each.block >= force.block);
  }
  withRevocations(configuration) {
    const later = new Map(this.newest.members.map((each) => [each.msp_id, each.revoked]));
    const members = configuration.members.map((each) => ({
      ...each, revoked: new Set([...each.revoked, ...(later.get(each.msp_id) ?? [])]),
    }));
    return { ...configuration, members };
  }
}

const within = (certificate, at) => certificate.since <= at && at <= certificate.until;

async function issuedBy(certificate, authority, at) {
  return same(certificate.issuer, authority.subject) && within(authority, at) && authority.isAuthority &&
    holds(authority, certificate.signature, certificate.tbs, false);
}

async function issued(certificate, member, at, length) {
  if (length < 2) return false;
  for (const each of member.authorities) if (await issuedBy(certificate, each, at)) return true;
  for (const each of member.intermediates) {
    if (await issuedBy(certificate, each, at) && !member.revoked.has(each.serial) && await issued(each, member, at, length - 1)) {
      return true;
    }
  }
  return false;
}

const hasRole = (certificate, member, role) =>
  role === "member" || (Object.hasOwn(member.units, role) && certificate.units.includes(member.units[role]));

/** Why a certificate is not a member's; empty when it is. */
async function certificateFault(mspId, certificate, configuration, at, role = "member") {
  const member = configuration.members.find((each) => each.msp_id === mspId);
  if (!member) return `${mspId} is no organisation of the channel`;
  if (member.revoked.has(certificate.serial)) return `a certificate of ${mspId} is revoked`;
  if (!within(certificate, at)) return `a certificate of ${mspId} was not valid then`;
  if (!await issued(certificate, member, at, 4)) return `a certificate comes from no authority of ${mspId}`;
  if (!hasRole(certificate, member, role)) return `a certificate of ${mspId} is none of a ${role}`;
  return "";
}

function readIdentity(bytes) {
  const message = spelled(bytes, "SerializedIdentity"), mspId = message.text(1);
  const certificate = readPem(new TextDecoder("utf-8", { ignoreBOM: true }).decode(message.bytes(2)));
  return { mspId, key: JSON.stringify([mspId, hex(certificate.key)]), certificate };
}

function used(wanted, signers, configuration, taken) {
  if (wanted.rules.length) {
    let met = 0;
    for (const each of wanted.rules) {
      const after = used(each, signers, configuration, taken);
      if (after) [met, taken] = [met + 1, after];
    }
    return met >= wanted.out_of ? taken : null;
  }
  const place = signers.findIndex((each, number) => {
    const member = configuration.members.find((one) => one.msp_id === each.mspId);
    return !taken.has(number) && member && each.mspId === wanted.msp_id && hasRole(each.certificate, member, wanted.role);
  });
  return place < 0 ? null : new Set([...taken, place]);
}

// ---- transactions ---------------------------------------------------------------------------------------------------

function timestamp(message) {
  const seconds = BigInt.asIntN(64, message.number(1)), nanos = BigInt.asIntN(64, message.number(2));
  if (seconds < -62135596800n || seconds > 253402300799n || nanos < 0n || nanos > 999999999n) throw new Malformed("no time");
  return Number(seconds) * 1000 + Number(nanos / 1000n) / 1e3;
}

async function readProposal(headerBytes, payload) {
  const header = spelled(headerBytes, "Header");
  const channelHeader = header.bytes(1), signatureHeader = header.bytes(2);
  const channel = spelled(channelHeader, "ChannelHeader"), sender = spelled(signatureHeader, "SignatureHeader");
  const spec = spelled(spelled(payload, "ChaincodeProposalPayload").bytes(1), "ChaincodeInvocationSpec").message(1);
  return {
    type: channel.number(1), at: () => timestamp(channel.message(3)), channel: channel.text(4), id: channel.text(5),
    creator: sender.bytes(1), nonce: sender.bytes(2), chaincode: spec.message(2).text(2), args: spec.message(3).all(1),
    hash: await digest(channelHeader, signatureHeader, payload),
  };
}

async function readTransaction(bytes) {
  const envelope = spelled(bytes, "Envelope"), payload = spelled(envelope.bytes(1), "Payload");
  const header = payload.message(1), channel = spelled(header.bytes(1), "ChannelHeader");
  spelled(header.bytes(2), "SignatureHeader");
  const actions = spelled(payload.bytes(2), "Transaction").all(1).map((each) => new Message(each));
  if (channel.number(1) !== 3n || actions.length !== 1) throw new Malformed("no transaction of a chaincode");
  const inner = spelled(actions[0].bytes(2), "ChaincodeActionPayload"), action = inner.message(2);
  const response = spelled(action.bytes(1), "ProposalResponsePayload"), result = spelled(response.bytes(2), "ChaincodeAction");
  const proposal = await readProposal(payload.bytes(1), inner.bytes(1));
  if (result.message(4).text(2) !== proposal.chaincode) throw new Malformed("another chaincode has answered");
  const sets = ownSets(result.bytes(1), proposal.chaincode);
  const messages = (field) => sets.all(field).map((each) => new Message(each));
  const writes = new Map(messages(3).map((each) => [each.text(1), each.bytes(3)]));
  const reads = new Map(messages(1).map((each) => {
    const version = each.message(2);
    return [each.text(1), each.has(2) ? [Number(version.number(1)), Number(version.number(2))] : null];
  }));
  const creator = spelled(proposal.creator, "SerializedIdentity");
  pemContent(new TextDecoder("utf-8", { ignoreBOM: true }).decode(creator.bytes(2)));
  return {
    ...proposal, at: proposal.at(), payload: envelope.bytes(1), signature: envelope.bytes(2), response: action.bytes(1),
    proposalHash: response.bytes(1), sender: creator.text(1), writes, reads,
    endorsements: action.all(2).map((each) => new Message(each)).map((each) => ({ endorser: each.bytes(1), signature: each.bytes(2) })),
  };
}

/** What a transaction has read and written of its own; a second set under one name would be another transaction's. */
function ownSets(results, chaincode) {
  const spaces = spelled(results, "TxReadWriteSet").all(2).map((each) => new Message(each));
  const own = spaces.filter((each) => each.text(1) === chaincode);
  if (own.length > 1) throw new Malformed("its reads and writes are there twice");
  return spelled(own.length ? own[0].bytes(2) : new Uint8Array(), "KVRWSet");
}

/** Who has endorsed; null when it does not count. */
async function endorser(endorsement, transaction, configuration) {
  try {
    const identity = readIdentity(endorsement.endorser);
    if (await certificateFault(identity.mspId, identity.certificate, configuration, transaction.at)) return null;
    const message = joined(transaction.response, endorsement.endorser);
    return await holds(identity.certificate, endorsement.signature, message) ? identity : null;
  } catch {
    return null;
  }
}

async function signingFault(transaction, configuration) {
  if (transaction.id !== await digest(transaction.nonce, transaction.creator)) return "the id does not follow from sender and nonce";
  let sender;
  try {
    sender = readIdentity(transaction.creator).certificate;
  } catch {
    return "the sender shows no certificate";
  }
  if (!await holds(sender, transaction.signature, transaction.payload)) return "the sender's signature does not hold";
  if (hex(transaction.proposalHash) !== transaction.hash) return "the endorsements belong to another proposal";
  const signers = new Map();
  for (const each of transaction.endorsements) {
    const identity = await endorser(each, transaction, configuration);
    if (identity) signers.set(identity.key, identity);
  }
  return used(configuration.endorsement, [...signers.values()], configuration, new Set()) ? "" : "too few endorsements";
}

// ---- steps ----------------------------------------------------------------------------------------------------------

const outcome = (verdict, reason) => ({ verdict, reason });

function worst(outcomes, allValid) {
  for (const verdict of [INVALID, ERROR, SKIPPED]) {
    const found = outcomes.find((each) => each.verdict === verdict);
    if (found) return found;
  }
  return outcome(VALID, allValid);
}

function onlySignature(given, algorithm) {
  const kind = (each) => {
    try {
      return decode(each.protected, "a header")?.alg;
    } catch {
      return null;
    }
  };
  const kinds = given.jws.signatures.map(kind);
  if (kinds.filter((each) => each === algorithm).length !== 1) throw new Malformed(`not exactly one signature by ${algorithm}`);
  if (!kinds.every((each) => each === "ES256" || each === "ML-DSA-65")) throw new Malformed("a signature of another kind");
  return given.jws.signatures[kinds.indexOf(algorithm)];
}

const signingInput = (signature, given) => utf8(`${toBase64url(signature.protected)}.${toBase64url(given.jws.payload)}`);

async function classical(given) {
  try {
    const signature = onlySignature(given, "ES256");
    const header = Es256Header(decode(signature.protected, "the header"));
    const certificate = readCertificate(header.x5c[0]), at = Date.parse(given.bundle.issued_at);
    const last = given.bundle.transactions.reduce((most, each) => Math.max(most, each.block), 0), faults = [];
    for (const each of given.believed.since(last)) faults.push(await certificateFault(given.bundle.issuer, certificate, each, at));
    if (faults.every((each) => each)) return outcome(INVALID, faults.at(-1));
    if (signature.signature.length !== 64 || !await holdsRaw(certificate, signature.signature, signingInput(signature, given))) {
      return outcome(INVALID, "the signature does not hold");
    }
  } catch (error) {
    return outcome(INVALID, error.message);
  }
  return outcome(VALID, `${given.bundle.issuer}, at ${given.bundle.issued_at} by its own word`);
}

async function postQuantum(given) {
  let signature, key;
  try {
    signature = onlySignature(given, "ML-DSA-65");
    const { kid } = MlDsaHeader(decode(signature.protected, "the header"));
    const own = given.believed.file.keys.filter((each) => each.msp_id === given.bundle.issuer);
    if (!own.length) return outcome(SKIPPED, "the trust file names no post-quantum key of the issuer");
    const ids = await Promise.all(own.map((each) => digest(each.public)));
    if (!ids.includes(kid)) return outcome(INVALID, "the trust file names another key of the issuer");
    key = own[ids.indexOf(kid)].public;
  } catch (error) {
    return outcome(INVALID, error.message);
  }
  try {
    const imported = await crypto.subtle.importKey("raw-public", key, { name: "ML-DSA-65" }, false, ["verify"]);
    const good = await crypto.subtle.verify({ name: "ML-DSA-65" }, imported, signature.signature, signingInput(signature, given));
    return good ? outcome(VALID, given.bundle.issuer) : outcome(INVALID, "the signature does not hold");
  } catch (error) {
    const unknown = ["NotSupportedError", "SyntaxError", "TypeError"].includes(error.name);
    return unknown ? outcome(SKIPPED, "this browser or program cannot compute ML-DSA-65") : outcome(INVALID, error.message);
  }
}

function channel({ bundle, believed }) {
  const differs = ["channel", "chaincode", "genesis"].find((each) => bundle[each] !== believed.file[each]);
  return differs ? outcome(INVALID, `the ${differs} is another one`) : outcome(VALID, bundle.channel);
}

function file({ bundle, files }) {
  const digests = new Set(bundle.documents.map((each) => each.digest)), given = new Set(files.map((each) => each.digest));
  const outcomes = files.map((each) => each.fault ? outcome(ERROR, `${each.name}: ${each.fault}`)
    : digests.has(each.digest) ? outcome(VALID, "") : outcome(INVALID, `${each.name} is no document of this bundle`));
  const missing = [...digests].filter((each) => !given.has(each));
  if (!files.length) outcomes.push(outcome(SKIPPED, "no file was given"));
  else if (missing.length) outcomes.push(outcome(SKIPPED, `${missing.length} documents were not given`));
  return worst(outcomes, `SHA-256 of ${digests.size} as the bundle says`);
}

function recordValue(record) {
  try {
    const value = JSON.parse(record?.value ?? "");
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

function orderedRecords({ bundle }) {
  const placed = [...bundle.transactions].sort((a, b) => a.block - b.block || a.index - b.index);
  const places = new Map(placed.map((each, place) => [each.id, place]));
  return [...bundle.records].sort((a, b) => (places.get(a.transaction) ?? -1) - (places.get(b.transaction) ?? -1));
}

async function commitment(given) {
  const { documents, subject } = given.bundle;
  if (!documents.length) return outcome(SKIPPED, "the bundle opens no document");
  const latest = new Map(orderedRecords(given).map((each) => [each.key, each]));
  for (const each of documents) {
    if (await digest(Uint8Array.of(0), unhex(each.salt), unhex(each.digest)) !== each.commitment) {
      return outcome(INVALID, `digest and salt of document ${each.id} do not give its commitment`);
    }
    if (recordValue(latest.get(`document/${each.id}`)).commitment !== each.commitment) {
      return outcome(INVALID, `the ledger holds another commitment of document ${each.id}`);
    }
  }
  if (subject.kind === "document" && !(documents.length === 1 && documents[0].id === subject.id)) {
    return outcome(INVALID, "the document that the bundle is about is not the one that is opened");
  }
  if (subject.kind === "invoice") {
    const invoice = recordValue(latest.get(`invoice/${subject.id}`));
    const own = [invoice.document_ids, invoice.proof_ids].flatMap((ids) => Array.isArray(ids) ? ids : []);
    const strange = documents.find((each) => !own.includes(each.id));
    if (strange) return outcome(INVALID, `document ${strange.id} is opened, and is none of invoice ${subject.id}`);
  }
  return outcome(VALID, `${documents.length} opened`);
}

async function eachTransaction(given, check, allValid) {
  const outcomes = [];
  for (const each of given.bundle.transactions) {
    const configuration = given.believed.inForce(each.block);
    if (!configuration) outcomes.push(outcome(ERROR, `the trust file knows no configuration before block ${each.block}`));
    else {
      const fault = await check(each, configuration);
      const { verdict, reason } = typeof fault === "string" ? outcome(INVALID, fault) : fault;
      outcomes.push(reason ? outcome(verdict, `transaction ${each.id}: ${reason}`) : outcome(VALID, ""));
    }
  }
  return worst(outcomes, allValid);
}

function endorsed(given) {
  return eachTransaction(given, async (each, configuration) => {
    const read = given.transactions.get(each.id);
    if (read.reason) return read;
    const { channel, chaincode } = given.believed.file;
    if (read.id !== each.id || read.channel !== channel || read.chaincode !== chaincode) return "another id, channel or chaincode";
    return signingFault(read, configuration);
  }, "signed by their senders and by enough peers");
}

const isBefore = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

async function included({ bundle, transactions }) {
  const blocks = new Map(bundle.blocks.map((each) => [each.number, each]));
  const told = new Set(bundle.transactions.map((each) => each.block));
  const outcomes = [];
  if (blocks.size !== bundle.blocks.length || transactions.size !== bundle.transactions.length) {
    outcomes.push(outcome(INVALID, "a block or a transaction is there twice"));
  }
  for (const block of blocks.values()) {
    if (!told.has(block.number)) {
      outcomes.push(outcome(INVALID, `block ${block.number} holds no transaction of the bundle`));
    }
    if (block.data !== null && await digest(joinedAll(block.data)) !== block.data_hash) {
      outcomes.push(outcome(INVALID, `block ${block.number}: its content does not fit its header`));
    }
    if (block.data !== null && !block.data.every(isEnvelope)) {
      outcomes.push(outcome(INVALID, `block ${block.number}: its content is cut into pieces that are no envelopes`));
    }
  }
  for (const each of bundle.transactions) {
    const block = blocks.get(each.block);
    if (!block) outcomes.push(outcome(INVALID, `block ${each.block} is not there`));
    else if (block.data === null) outcomes.push(outcome(SKIPPED, `the content of block ${each.block} was left out`));
    else if (each.index >= block.data.length || !same(block.data[each.index], each.envelope)) {
      outcomes.push(outcome(INVALID, `transaction ${each.id} is not at its place in block ${each.block}`));
    }
    const read = transactions.get(each.id);
    if (!read.reason && [...read.reads.values()].some((version) => version !== null && !isBefore(version, [each.block, each.index]))) {
      outcomes.push(outcome(INVALID, `transaction ${each.id} rests on what was written later`));
    }
  }
  return worst(outcomes, `${bundle.transactions.length} in ${blocks.size} blocks`);
}

async function orderingFault(block, configuration) {
  const [previous, data] = [unhex(block.previous_hash), unhex(block.data_hash)];
  const fields = joined(derInteger(BigInt(block.number)), Uint8Array.of(4, previous.length), previous, Uint8Array.of(4, data.length), data);
  const header = joined(Uint8Array.of(0x30, fields.length), fields);
  const signed = new Set();
  for (const each of block.signatures) {
    let number;
    try {
      number = spelled(each.header, "IdentifierHeader").number(1);
    } catch {
      continue;
    }
    const consenter = configuration.consenters.findLast((one) => BigInt(one.number) === number);
    if (consenter && await holds(consenter.certificate, each.signature, joined(block.value, each.header, header))) {
      signed.add(consenter.msp_id);
    }
  }
  return signed.size < configuration.quorum ? `signed by ${signed.size} organisations, and the quorum is ${configuration.quorum}` : "";
}

async function ordered({ bundle, believed }) {
  const outcomes = [];
  for (const block of bundle.blocks) {
    const configuration = believed.inForce(block.number);
    if (!configuration) {
      outcomes.push(outcome(ERROR, `the trust file knows no configuration before block ${block.number}`));
      continue;
    }
    const fault = await orderingFault(block, configuration);
    let said = null;
    try {
      said = Number(spelled(block.value, "OrdererBlockMetadata").message(1).number(1));
    } catch { /* it does not say */ }
    if (fault) outcomes.push(outcome(INVALID, `block ${block.number}: ${fault}`));
    else if (said !== configuration.block && said !== block.number) {
      const newer = configuration === believed.newest && said !== null && configuration.block < said && said < block.number;
      outcomes.push(newer ? outcome(ERROR, `block ${block.number} follows a configuration that the trust file does not know`)
        : outcome(INVALID, `block ${block.number} names another configuration`));
    }
  }
  return worst(outcomes, `${bundle.blocks.length} blocks`);
}

/** Whose answer says that a transaction counts; null when it says something else, an error when it cannot be read. */
async function answers(answer, question, envelope, configuration) {
  const payload = spelled(answer.payload, "ProposalResponsePayload"), action = spelled(payload.bytes(2), "ChaincodeAction");
  const response = action.message(3), processed = spelled(response.bytes(3), "ProcessedTransaction");
  const [told, asked] = [processed.message(1), spelled(envelope, "Envelope")];
  const { mspId, certificate } = readIdentity(answer.endorser);
  const good = !await certificateFault(mspId, certificate, configuration, question.at, "peer") &&
    await holds(certificate, answer.signature, joined(answer.payload, answer.endorser)) &&
    hex(payload.bytes(1)) === question.hash && action.message(4).text(2) === "qscc" && response.number(1) === 200n &&
    [1, 2].every((field) => same(told.bytes(field), asked.bytes(field))) && processed.number(2) === 0n;
  return good ? mspId : null;
}

/** Whether more than half of the organisations say that a transaction counts. */
async function isMajority(given, question, configuration) {
  const said = new Set();
  for (const answer of given.answers) {
    const who = await answers(answer, question, given.envelope, configuration).catch(() => null);
    if (who !== null) said.add(who);
  }
  return said.size > Math.floor(configuration.members.length / 2);
}

function committed(given) {
  const { file } = given.believed;
  return eachTransaction(given, async (each) => {
    let question;
    try {
      const proposal = spelled(each.question, "Proposal");
      question = await readProposal(proposal.bytes(1), proposal.bytes(2));
      question.at = question.at();
    } catch {
      return "the question to the peers cannot be read";
    }
    const wanted = ["GetTransactionByID", file.channel, each.id].map(utf8);
    const right = question.args.length === 3 && question.args.every((one, place) => same(one, wanted[place]));
    if (!right || question.channel !== file.channel || question.chaincode !== "qscc") return "the peers were asked something else";
    for (const configuration of given.believed.since(each.block)) {
      if (await isMajority(each, question, configuration)) return "";
    }
    const text = "not more than half of the organisations say so, by no configuration since";
    return given.transactions.get(each.id).verdict === ERROR ? outcome(ERROR, text) : text;
  }, "by more than half of the organisations");
}

const readable = ({ transactions }) => [...transactions.values()].every((each) => !each.reason);
const ACTORS = { document: "submitter", attestation: "party", shipment_event: "party" };

async function people(given) {
  if (!readable(given)) return outcome(SKIPPED, "a transaction cannot be read");
  const outcomes = [], told = [], opened = new Set(given.bundle.documents.map((each) => each.id));
  for (const each of given.bundle.transactions) {
    const read = given.transactions.get(each.id), configuration = given.believed.inForce(each.block);
    if (!configuration) {
      outcomes.push(outcome(ERROR, `the trust file knows no configuration before block ${each.block}`));
      continue;
    }
    let fault;
    try {
      const { certificate } = readIdentity(read.creator);
      fault = await certificateFault(read.sender, certificate, given.believed.withRevocations(configuration), read.at);
    } catch {
      fault = "the sender shows no certificate";
    }
    if (fault) outcomes.push(outcome(INVALID, `transaction ${each.id}: ${fault}`));
  }
  const first = new Map(orderedRecords(given).reverse().map((each) => [each.key, each]));
  for (const [key, record] of first) {
    const kind = key.split("/")[0], read = given.transactions.get(record.transaction);
    if (!Object.hasOwn(ACTORS, kind) || !read) continue;
    const said = recordValue(record)[ACTORS[kind]];
    if (said !== read.sender) outcomes.push(outcome(INVALID, `${key} names ${said}, and ${read.sender} has sent it`));
    const also = kind !== "shipment_event" && !opened.has(key.split("/")[1]) ? "also shown, of a document that is not opened: " : "";
    told.push(`${also}${key} by ${read.sender} at ${new Date(read.at).toISOString()}`);
  }
  return worst(outcomes, told.sort().join("; "));
}

/** Whether each transaction stands where it took effect, after the one that is shown before it. */
function disordered(given) {
  const places = new Map(given.bundle.transactions.map((each) => [each.id, [each.block, each.index]]));
  const { kind, id } = given.bundle.subject, before = new Map();
  return worst(orderedRecords(given).map((record) => {
    const { key, transaction } = record, earlier = before.get(key), read = given.transactions.get(transaction);
    const complete = key === `${kind}/${id}` || Object.hasOwn(ACTORS, key.split("/")[0]);
    const leftOut = outcome(ERROR, `${key}: transaction ${transaction} rests on a value that was left out`);
    before.set(key, record);
    const version = read.reads.get(key);
    if (!earlier) return complete && version ? leftOut : outcome(VALID, "");
    if (!read.reads.has(key)) {
      const told = read.at >= given.transactions.get(earlier.transaction).at;
      return told ? outcome(VALID, "") : outcome(ERROR, `${key}: the order of two transactions cannot be told`);
    }
    if (version === null && earlier.value === "") return outcome(VALID, "");
    const shown = places.get(earlier.transaction);
    if (version === null || isBefore(version, shown)) {
      return outcome(INVALID, `${key}: transaction ${transaction} does not follow the one that is shown before it`);
    }
    return complete && isBefore(shown, version) ? leftOut : outcome(VALID, "");
  }), "");
}

function status(given) {
  if (!readable(given)) return outcome(SKIPPED, "a transaction cannot be read");
  const { subject, records, transactions } = given.bundle;
  const keys = new Set(records.map((each) => each.key));
  if (!keys.has(`${subject.kind}/${subject.id}`)) return outcome(INVALID, "the subject's record is not there");
  const said = records.map((each) => JSON.stringify([each.key, each.transaction, each.value])).sort();
  const written = [...given.transactions].flatMap(([id, read]) => [...read.writes]
    .filter(([key]) => keys.has(key))
    .map(([key, value]) => JSON.stringify([key, id, new TextDecoder("utf-8", { ignoreBOM: true }).decode(value)]))).sort();
  if (said.length !== written.length || said.some((each, place) => each !== written[place])) {
    return outcome(INVALID, "the records are not what the transactions have written");
  }
  const disorder = disordered(given);
  if (disorder.verdict === INVALID) return disorder;
  const telling = new Set(records.map((each) => each.transaction));
  if (transactions.some((each) => !telling.has(each.id))) return outcome(INVALID, "a transaction has no record");
  return worst([disorder], `as of block ${transactions.reduce((most, each) => Math.max(most, each.block), 0)}, whatever came later`);
}

const STEPS = [
  ["classical", "signed by its issuer (ES256)", classical],
  ["post-quantum", "signed by its issuer (ML-DSA-65)", postQuantum],
  ["channel", "of the trusted channel and contract", channel],
  ["file", "files untouched", file],
  ["commitment", "commitments open", commitment],
  ["endorsed", "transactions signed and endorsed", endorsed],
  ["included", "transactions in their blocks", included],
  ["ordered", "blocks signed by a quorum of orderers", ordered],
  ["committed", "committed as valid", committed],
  ["people", "who recorded and attested", people],
  ["status", "status", status],
];

const unread = (error) => outcome(error instanceof OtherSpelling ? ERROR : INVALID, `it cannot be read: ${error.message}`);

/** Everything that the steps look at. */
async function readCase(bundleBytes, trustBytes, files) {
  for (const [bytes, most] of [[bundleBytes, BUNDLE_BYTES_MAX], [trustBytes, TRUST_BYTES_MAX]]) {
    if (bytes.length > most) throw new Uncheckable(`a file has more than ${most} bytes, which are not read`);
  }
  let believed;
  try {
    believed = new Believed(Trust(decode(trustBytes, "the trust file")));
  } catch (error) {
    throw new Uncheckable(error.message);
  }
  const jws = Jws(decode(bundleBytes, "the bundle"));
  const payload = decode(jws.payload, "the payload");
  if (payload?.format === "ledger-node-evidence" && Number.isInteger(payload.version) && payload.version !== 1) {
    throw new Uncheckable(`the bundle is of version ${payload.version}`);
  }
  const bundle = Bundle(payload);
  const transactions = new Map();
  for (const each of bundle.transactions) {
    transactions.set(each.id, await readTransaction(each.envelope).catch(unread));
  }
  const given = await Promise.all(files.map(async (each) => each.fault ? each : { name: each.name, digest: await digest(each.bytes) }));
  return { jws, bundle, believed, transactions, files: given };
}

async function outcomeOf(check, given) {
  try {
    return await check(given);
  } catch (error) { // whatever a forger made that nobody foresaw: a verdict, and never VALID
    return outcome(ERROR, `this verifier could not check it, please report it: ${error.message}`);
  }
}

/**
 * Check a bundle.
 * @param {Uint8Array} bundleBytes the evidence
 * @param {Uint8Array} trustBytes whom to believe, got by another way
 * @param {{name: string, bytes?: Uint8Array, fault?: string}[]} files the documents
 * @returns {Promise<{verdict: string, steps: {number: number, name: string, checks: string, verdict: string, reason: string}[]}>}
 */
export async function verify(bundleBytes, trustBytes, files) {
  let given, first;
  try {
    given = await readCase(bundleBytes, trustBytes, files);
    first = outcome(VALID, `${given.bundle.subject.kind} ${given.bundle.subject.id}`);
  } catch (error) {
    first = outcome(error instanceof Malformed ? INVALID : ERROR, error.message);
  }
  const steps = [{ number: 1, name: "bundle", checks: "bundle and trust file can be read", ...first }];
  for (const [stepName, checks, check] of STEPS) {
    const found = given ? await outcomeOf(check, given) : outcome(SKIPPED, "nothing could be read");
    steps.push({ number: steps.length + 1, name: stepName, checks, ...found });
  }
  const verdicts = steps.map((each) => each.verdict);
  const verdict = verdicts.includes(INVALID) ? INVALID : verdicts.every((each) => each === VALID) ? VALID : SKIPPED;
  return { verdict, steps };
}
