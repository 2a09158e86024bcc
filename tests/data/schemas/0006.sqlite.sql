BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE fences (
	user_id VARCHAR(64) NOT NULL, 
	newest BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_fences PRIMARY KEY (user_id)
);
INSERT INTO "fences" VALUES('42',1,1767225600000);
CREATE TABLE hook_messages (
	source VARCHAR(64) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	done BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_hook_messages PRIMARY KEY (source, id)
);
INSERT INTO "hook_messages" VALUES('till','m1','f',1,1767225600000);
CREATE TABLE idempotency_keys (
	scope VARCHAR(512) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	order_id VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (scope, "key")
);
INSERT INTO "idempotency_keys" VALUES('service:shop: POST /api/orders','k1','f','1',X'00FF',1767225600000);
CREATE TABLE log_head (
	id INTEGER NOT NULL, 
	n BIGINT NOT NULL, 
	last_order_number BIGINT NOT NULL, floor BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_log_head PRIMARY KEY (id), 
	CONSTRAINT ck_log_head_one_row CHECK (id = 1)
);
INSERT INTO "log_head" VALUES(1,4,1,1);
CREATE TABLE logins (
	user_id VARCHAR(64) NOT NULL, 
	number BIGINT NOT NULL, 
	run VARCHAR(64) NOT NULL, 
	socket VARCHAR(128) NOT NULL, 
	client VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	evicted BOOLEAN NOT NULL, 
	CONSTRAINT pk_logins PRIMARY KEY (user_id, number)
);
INSERT INTO "logins" VALUES('42',1,'run','s','c',1767225600000,0);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('log_id','log-of-0001');
INSERT INTO "meta" VALUES('secret_key','a secret of a test, 48 long');
CREATE TABLE nodes (
	name VARCHAR(64) NOT NULL, 
	run VARCHAR(64) NOT NULL, 
	address VARCHAR(255) NOT NULL, 
	beat BIGINT NOT NULL, 
	connections INTEGER NOT NULL, 
	online TEXT NOT NULL, 
	CONSTRAINT pk_nodes PRIMARY KEY (name)
);
INSERT INTO "nodes" VALUES('n1','run','http://127.0.0.1:1',1767225600000,0,'[]');
CREATE TABLE order_events (
	position BIGINT NOT NULL, 
	order_id VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	status VARCHAR(64) NOT NULL, 
	previous_status VARCHAR(64), 
	fields TEXT NOT NULL, 
	customer_id VARCHAR(64) NOT NULL, 
	shop_id VARCHAR(64), 
	updated_by VARCHAR(64), 
	reason TEXT, 
	forced BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_order_events PRIMARY KEY (position), 
	CONSTRAINT uq_order_events_order_id_version UNIQUE (order_id, version)
);
INSERT INTO "order_events" VALUES(2,'a.b:c-1_2',1,'created','received',NULL,'[]','cust-7','north','shop',NULL,0,1767225601000);
INSERT INTO "order_events" VALUES(3,'a.b:c-1_2',2,'contacted','received',NULL,'["first_contact_at"]','cust-7','north','ana',NULL,0,1767226200000);
INSERT INTO "order_events" VALUES(4,'a.b:c-1_2',3,'status_changed','ready','received','["note"]','cust-7','north','shop','the till''s word',1,1767226800000);
CREATE TABLE orders (
	order_id VARCHAR(64) NOT NULL, 
	customer_id VARCHAR(64) NOT NULL, 
	shop_id VARCHAR(64), 
	reference VARCHAR(128), 
	fulfilment VARCHAR(64) NOT NULL, 
	status VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	items TEXT NOT NULL, 
	total FLOAT, 
	currency VARCHAR(3), 
	note TEXT, 
	contact TEXT, 
	expected_at BIGINT, 
	claimed_by VARCHAR(64), 
	first_contact_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, status_since BIGINT DEFAULT '0' NOT NULL, search TEXT, 
	CONSTRAINT pk_orders PRIMARY KEY (order_id)
);
INSERT INTO "orders" VALUES('1','42',NULL,NULL,'delivery','received',1,'[]',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1767225600000,1767225600000,1767225600000,'1');
INSERT INTO "orders" VALUES('a.b:c-1_2','cust-7','north','№ 7','pickup','ready',3,'[{"name":"Döner 🥙","count":2}]',12.34,'EUR','ring
twice; it''s loud','{"name":"José","phone":"+49 30 1"}',1767229200000,'ana',1767226200000,1767225601000,1767226800000,1767226800000,'a.b:c-1_2
no 7
jose
+49 30 1');
CREATE TABLE revocations (
	kind VARCHAR(64) NOT NULL, 
	value VARCHAR(255) NOT NULL, 
	at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_revocations PRIMARY KEY (kind, value)
);
INSERT INTO "revocations" VALUES('user','9',1767225600000,4102444800000);
CREATE TABLE targets (
	status VARCHAR(64) NOT NULL, 
	seconds INTEGER, 
	CONSTRAINT pk_targets PRIMARY KEY (status)
);
INSERT INTO "targets" VALUES('received',60);
INSERT INTO "targets" VALUES('ready',NULL);
CREATE TABLE watches (
	pid VARCHAR(512) NOT NULL, 
	order_id VARCHAR(64) NOT NULL, 
	user_id VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_watches PRIMARY KEY (pid, order_id)
);
INSERT INTO "watches" VALUES('pid','1','42',1767225600000);
CREATE TABLE webhook_messages (
	webhook_id VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	rank INTEGER NOT NULL, 
	order_id VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	due BIGINT NOT NULL, 
	status INTEGER, 
	reason TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	state VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_webhook_messages PRIMARY KEY (webhook_id, position, rank)
);
INSERT INTO "webhook_messages" VALUES('wh_1',4,0,'a.b:c-1_2',1767226800000,1,1767226900000,500,'no','','waiting');
CREATE TABLE webhooks (
	id VARCHAR(64) NOT NULL, 
	url TEXT NOT NULL, 
	description TEXT NOT NULL, 
	events TEXT NOT NULL, 
	shops TEXT, 
	secrets TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	problem TEXT, 
	cursor BIGINT NOT NULL, 
	revision INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	lease_run VARCHAR(64), 
	lease_until BIGINT, 
	CONSTRAINT pk_webhooks PRIMARY KEY (id)
);
INSERT INTO "webhooks" VALUES('wh_1','https://shop.example/hook','','[]',NULL,'[]',1,NULL,4,1,1767225600000,NULL,NULL);
CREATE INDEX ix_orders_customer_id_created_at_order_id ON orders (customer_id, created_at, order_id);
CREATE INDEX ix_orders_shop_id_created_at_order_id ON orders (shop_id, created_at, order_id);
CREATE INDEX ix_orders_status_created_at_order_id ON orders (status, created_at, order_id);
CREATE INDEX ix_order_events_customer_id_position ON order_events (customer_id, position);
CREATE INDEX ix_idempotency_keys_order_id ON idempotency_keys (order_id);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_watches_at ON watches (at);
CREATE INDEX ix_revocations_at ON revocations (at);
CREATE INDEX ix_fences_at ON fences (at);
CREATE INDEX ix_logins_run ON logins (run) WHERE evicted;
CREATE INDEX ix_orders_created_at_order_id_search ON orders (created_at, order_id, search);
CREATE INDEX ix_order_events_at_position ON order_events (at, position);
CREATE INDEX ix_hook_messages_at ON hook_messages (at);
COMMIT;
