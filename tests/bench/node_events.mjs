// Submits prepared commands with the official Node client, one transaction each; the contract takes one JSON argument.
// node node_events.mjs ENDPOINT MSPID CERT KEY TLS_CA CHANNEL CHAINCODE FILE CONCURRENCY; FILE has one argument a line.
// Prints one JSON line.
import * as grpc from '@grpc/grpc-js';
import { connect, signers, hash } from '@hyperledger/fabric-gateway';
import crypto from 'node:crypto';
import fs from 'node:fs';

const [endpoint, mspId, cert, key, tlsCa, channel, chaincode, file, concurrency] = process.argv.slice(2);
const client = new grpc.Client(endpoint, grpc.credentials.createSsl(fs.readFileSync(tlsCa)));
const gateway = connect({
  client,
  identity: { mspId, credentials: fs.readFileSync(cert) },
  signer: signers.newPrivateKeySigner(crypto.createPrivateKey(fs.readFileSync(key))),
  hash: hash.sha256,
});
const contract = gateway.getNetwork(channel).getContract(chaincode);
const waiting = fs.readFileSync(file, 'utf8').trim().split('\n');
let next = 0, errors = 0, error = '';

async function submitInTurn() {
  while (next < waiting.length) {
    const argument = waiting[next++];
    try { await contract.submitTransaction(argument); } catch (failure) { errors++; error = String(failure); }
  }
}
const began = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, submitInTurn));
const seconds = (performance.now() - began) / 1e3;
console.log(JSON.stringify({ seconds, errors, error }));
gateway.close();
client.close();
