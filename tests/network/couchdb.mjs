// The part of CouchDB's HTTP API that Fabric's peers use, on PouchDB in memory.
// PouchDB answers for documents, revisions, attachments, ranges, selectors and indexes; here are only the addresses,
// documents in several parts, and bookmarks, which it does not have. Prints the port that it listens on.
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const PouchDB = require('pouchdb-core').plugin(require('pouchdb-adapter-memory')).plugin(require('pouchdb-find'));
const BANNER = { couchdb: 'Welcome', version: '3.4.2', vendor: { name: 'PouchDB in its place' } };
const NO_BOOKMARK = 'nil';
const PARTS = 'attachments-follow';
const databases = new Map();

class Failure extends Error {
  constructor(status, name, reason) {
    super(reason);
    Object.assign(this, { status, name, reason });
  }
}

async function answer(request, body) {
  const url = new URL(request.url, 'http://localhost');
  const [name, ...path] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  if (name === '') return [200, BANNER];
  if (name === '_all_dbs') return [200, [...databases.keys()]];
  if (path.length === 0) return wholeDatabase(request.method, name);
  if (path[0] === '_security') return [200, { ok: true }];
  const database = opened(name);
  const query = Object.fromEntries([...url.searchParams].map(([key, value]) => [key, JSON.parse(value)]));
  switch (path[0]) {
    case '_all_docs': return [200, await database.allDocs({ ...query, ...(body.length && JSON.parse(body)) })];
    case '_bulk_docs': return [201, (await database.bulkDocs(JSON.parse(body).docs)).map(outcome)];
    case '_find': return [200, await find(database, JSON.parse(body))];
    case '_index': return [200, await index(database, request.method, path, body)];
    default: return document(database, request, path[0], query, body);
  }
}

function opened(name) {
  if (!databases.has(name)) throw new Failure(404, 'not_found', 'Database does not exist.');
  return databases.get(name);
}

async function wholeDatabase(method, name) {
  if (method === 'PUT') {
    if (databases.has(name)) throw new Failure(412, 'file_exists', 'The database could not be created.');
    databases.set(name, new PouchDB(name, { adapter: 'memory' }));
    return [201, { ok: true }];
  }
  const database = opened(name);
  if (method === 'GET') return [200, { db_name: name, doc_count: (await database.info()).doc_count }];
  databases.delete(name);
  await database.destroy();
  return [200, { ok: true }];
}

function outcome(result) {
  return result.ok ? result : { id: result.id, error: result.name, reason: result.message };
}

// As CouchDB does: every answer has a bookmark, and one without records has the one that was given.
async function find(database, { bookmark = NO_BOOKMARK, ...asked }) {
  const skip = bookmark === NO_BOOKMARK ? 0 : Number(Buffer.from(bookmark, 'base64'));
  try {
    const found = await database.find({ ...asked, skip });
    const next = Buffer.from(String(skip + found.docs.length)).toString('base64');
    return { ...found, bookmark: found.docs.length ? next : bookmark };
  } catch (failure) {
    throw new Failure(failure.status ?? 400, failure.name, failure.reason ?? failure.message);
  }
}

async function index(database, method, [, ddoc, type, name], body) {
  if (method === 'GET') return database.getIndexes();
  return method === 'POST' ? database.createIndex(JSON.parse(body)) : database.deleteIndex({ ddoc, type, name });
}

async function document(database, request, id, query, body) {
  const rev = request.headers['if-match'];
  if (request.method === 'PUT') {
    const stored = await database.put({ ...parsed(request, body), _id: id, ...(rev && { _rev: rev }) });
    return [201, stored, stored.rev];
  }
  if (request.method === 'DELETE') return [200, await database.remove(id, rev)];
  const found = await database.get(id, query);
  return [200, found, found._rev];
}

// The document, or in multipart/related the document and its attachments in their order in it.
function parsed(request, body) {
  const boundary = /boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1];
  if (!boundary) return JSON.parse(body);
  const [first, ...attachments] = parts(body, boundary);
  const doc = JSON.parse(first);
  Object.values(doc._attachments).forEach((attachment, place) => {
    delete attachment.follows;
    attachment.data = attachments[place].toString('base64');
  });
  return doc;
}

function parts(body, boundary) {
  const found = body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  return found.map((part) => Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4, -2), 'latin1'));
}

function inParts(doc) {
  const chunks = [Buffer.from(`--${PARTS}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(doc)}`)];
  for (const [name, { content_type: type, data }] of Object.entries(doc._attachments)) {
    const head = `Content-Disposition: attachment; filename="${name}"\r\nContent-Type: ${type}`;
    chunks.push(Buffer.from(`\r\n--${PARTS}\r\n${head}\r\n\r\n`), Buffer.from(data, 'base64'));
  }
  return Buffer.concat([...chunks, Buffer.from(`\r\n--${PARTS}--`)]);
}

async function serve(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let status, content, rev;
  try {
    [status, content, rev] = await answer(request, Buffer.concat(chunks));
  } catch (failure) {
    status = failure.status ?? 500;
    content = { error: failure.name, reason: failure.reason ?? String(failure) };
  }
  const withParts = request.method === 'GET' && rev && content._attachments;
  const type = withParts ? `multipart/related; boundary="${PARTS}"` : 'application/json';
  response.writeHead(status, { 'Content-Type': type, ...(rev && { ETag: `"${rev}"` }) });
  response.end(withParts ? inParts(content) : JSON.stringify(content));
}

const server = http.createServer(serve);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
