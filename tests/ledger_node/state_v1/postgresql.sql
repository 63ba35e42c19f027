CREATE TABLE attempt (
	document_id VARCHAR NOT NULL, 
	tries INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	not_before FLOAT NOT NULL, 
	mismatch_commitment VARCHAR NOT NULL, 
	command_id VARCHAR NOT NULL, 
	verdict VARCHAR NOT NULL, 
	PRIMARY KEY (document_id)
);
INSERT INTO attempt (document_id, tries, generation, not_before, mismatch_commitment, command_id, verdict) VALUES ('eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', 3, 1, 1763812800.5, 'abababababababababababababababababababababababababababababababab', 'ffffffffffffffffffffffffffffffff', 'unavailable');
CREATE TABLE heartbeat (
	worker VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	beat_at FLOAT NOT NULL, 
	PRIMARY KEY (worker)
);
INSERT INTO heartbeat (worker, state, text, pid, beat_at) VALUES ('outbox', 'running', '', 30629, 1795348800.0);
CREATE TABLE outbox (
	number BIGSERIAL NOT NULL, 
	command_id VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	body VARCHAR NOT NULL, 
	request_digest VARCHAR NOT NULL, 
	idempotency_key VARCHAR, 
	block_number_min BIGINT NOT NULL, 
	status VARCHAR NOT NULL, 
	code VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	result VARCHAR, 
	sent_transaction_id VARCHAR NOT NULL, 
	transaction_id VARCHAR NOT NULL, 
	block_number BIGINT, 
	tries INTEGER NOT NULL, 
	not_before FLOAT NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (command_id), 
	UNIQUE (idempotency_key)
);
CREATE INDEX ix_outbox_status ON outbox (status);
INSERT INTO outbox (command_id, type, body, request_digest, idempotency_key, block_number_min, status, code, text, result, sent_transaction_id, transaction_id, block_number, tries, not_before, created_at) VALUES ('cccccccccccccccccccccccccccccccc', 'RegisterDocument', '{"document_id":"dddddddddddddddddddddddddddddddd"}', 'b2f8b4d7aecb46c9b6ecba7c79d5b93e39cb77cffdab29045322421fd6211ac1', 'key', 0, 'waiting', '', '', NULL, '', '', NULL, 0, 0.0, '2026-11-22T12:00:00.000000Z');
CREATE TABLE own_document (
	document_id VARCHAR NOT NULL, 
	digest BYTEA NOT NULL, 
	salt BYTEA NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	media_type VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	filename VARCHAR NOT NULL, 
	PRIMARY KEY (document_id)
);
INSERT INTO own_document (document_id, digest, salt, size_bytes, media_type, kind, filename) VALUES ('dddddddddddddddddddddddddddddddd', '\x0101010101010101010101010101010101010101010101010101010101010101', '\x0202020202020202020202020202020202020202020202020202020202020202', 5, 'application/xml', 'invoice', 'invoice.xml');
CREATE TABLE state_schema (
	version SERIAL NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO state_schema (version) VALUES (1);
CREATE TABLE token (
	digest VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	expires_at VARCHAR NOT NULL, 
	PRIMARY KEY (digest), 
	UNIQUE (id)
);
INSERT INTO token (digest, id, role, created_at, expires_at) VALUES ('35da7c968d6e634a17b61bb5b7263b1c43888aae8b8f3ddfac5762087fff9b21', 'abababababababab', 'auditor', '2026-11-22T12:00:00Z', '2036-11-29T12:00:00Z');
