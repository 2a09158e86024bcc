CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.fences (
    user_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    newest bigint NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.hook_messages (
    source character varying(64) NOT NULL,
    id character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    done boolean NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.idempotency_keys (
    scope character varying(512) NOT NULL,
    key character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    order_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.log_head (
    id integer NOT NULL,
    n bigint NOT NULL,
    last_order_number bigint NOT NULL,
    floor bigint DEFAULT '0'::bigint NOT NULL,
    CONSTRAINT ck_log_head_one_row CHECK ((id = 1))
);
CREATE TABLE public.logins (
    user_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    run character varying(64) NOT NULL,
    socket character varying(128) NOT NULL,
    client character varying(64) NOT NULL,
    at bigint NOT NULL,
    evicted boolean NOT NULL
);
CREATE TABLE public.meta (
    key character varying(64) NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.nodes (
    name character varying(64) NOT NULL,
    run character varying(64) NOT NULL,
    address character varying(255) NOT NULL,
    beat bigint NOT NULL,
    connections integer NOT NULL,
    online text NOT NULL
);
CREATE TABLE public.order_events (
    "position" bigint NOT NULL,
    order_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    kind character varying(64) NOT NULL,
    status character varying(64) NOT NULL,
    previous_status character varying(64),
    fields text NOT NULL,
    customer_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    shop_id character varying(64) COLLATE pg_catalog."C",
    updated_by character varying(64) COLLATE pg_catalog."C",
    reason text,
    forced boolean NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.orders (
    order_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    customer_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    shop_id character varying(64) COLLATE pg_catalog."C",
    reference character varying(128),
    fulfilment character varying(64) NOT NULL,
    status character varying(64) NOT NULL,
    version integer NOT NULL,
    items text NOT NULL,
    total double precision,
    currency character varying(3),
    note text,
    contact text,
    expected_at bigint,
    claimed_by character varying(64) COLLATE pg_catalog."C",
    first_contact_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    status_since bigint DEFAULT '0'::bigint NOT NULL,
    search text
);
CREATE TABLE public.revocations (
    kind character varying(64) NOT NULL,
    value character varying(255) NOT NULL,
    at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.targets (
    status character varying(64) NOT NULL,
    seconds integer
);
CREATE TABLE public.watches (
    pid character varying(512) NOT NULL,
    order_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    user_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL
);
CREATE TABLE public.webhook_messages (
    webhook_id character varying(64) NOT NULL,
    "position" bigint NOT NULL,
    rank integer NOT NULL,
    order_id character varying(64) NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    attempts integer NOT NULL,
    due bigint NOT NULL,
    status integer,
    reason text NOT NULL,
    answer text NOT NULL,
    state character varying(64) NOT NULL
);
CREATE TABLE public.webhooks (
    id character varying(64) NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    events text NOT NULL,
    shops text,
    secrets text NOT NULL,
    enabled boolean NOT NULL,
    problem text,
    cursor bigint NOT NULL,
    revision integer NOT NULL,
    created_at bigint NOT NULL,
    lease_run character varying(64),
    lease_until bigint
);
INSERT INTO public.alembic_version VALUES ('0006');
INSERT INTO public.fences VALUES ('42', 1, 1767225600000);
INSERT INTO public.hook_messages VALUES ('till', 'm1', 'f', true, 1767225600000);
INSERT INTO public.idempotency_keys VALUES ('service:shop: POST /api/orders', 'k1', 'f', '1', '\x00ff', 1767225600000);
INSERT INTO public.log_head VALUES (1, 4, 1, 1);
INSERT INTO public.logins VALUES ('42', 1, 'run', 's', 'c', 1767225600000, false);
INSERT INTO public.meta VALUES ('log_id', 'log-of-0001');
INSERT INTO public.meta VALUES ('secret_key', 'a secret of a test, 48 long');
INSERT INTO public.nodes VALUES ('n1', 'run', 'http://127.0.0.1:1', 1767225600000, 0, '[]');
INSERT INTO public.order_events VALUES (2, 'a.b:c-1_2', 1, 'created', 'received', NULL, '[]', 'cust-7', 'north', 'shop', NULL, false, 1767225601000);
INSERT INTO public.order_events VALUES (3, 'a.b:c-1_2', 2, 'contacted', 'received', NULL, '["first_contact_at"]', 'cust-7', 'north', 'ana', NULL, false, 1767226200000);
INSERT INTO public.order_events VALUES (4, 'a.b:c-1_2', 3, 'status_changed', 'ready', 'received', '["note"]', 'cust-7', 'north', 'shop', 'the till''s word', true, 1767226800000);
INSERT INTO public.orders VALUES ('1', '42', NULL, NULL, 'delivery', 'received', 1, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1767225600000, 1767225600000, 1767225600000, '1');
INSERT INTO public.orders VALUES ('a.b:c-1_2', 'cust-7', 'north', '№ 7', 'pickup', 'ready', 3, '[{"name":"Döner 🥙","count":2}]', 12.34, 'EUR', 'ring
twice; it''s loud', '{"name":"José","phone":"+49 30 1"}', 1767229200000, 'ana', 1767226200000, 1767225601000, 1767226800000, 1767226800000, 'a.b:c-1_2
no 7
jose
+49 30 1');
INSERT INTO public.revocations VALUES ('user', '9', 1767225600000, 4102444800000);
INSERT INTO public.targets VALUES ('received', 60);
INSERT INTO public.targets VALUES ('ready', NULL);
INSERT INTO public.watches VALUES ('pid', '1', '42', 1767225600000);
INSERT INTO public.webhook_messages VALUES ('wh_1', 4, 0, 'a.b:c-1_2', 1767226800000, 1, 1767226900000, 500, 'no', '', 'waiting');
INSERT INTO public.webhooks VALUES ('wh_1', 'https://shop.example/hook', '', '[]', NULL, '[]', true, NULL, 4, 1, 1767225600000, NULL, NULL);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.fences
    ADD CONSTRAINT pk_fences PRIMARY KEY (user_id);
ALTER TABLE ONLY public.hook_messages
    ADD CONSTRAINT pk_hook_messages PRIMARY KEY (source, id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (scope, key);
ALTER TABLE ONLY public.log_head
    ADD CONSTRAINT pk_log_head PRIMARY KEY (id);
ALTER TABLE ONLY public.logins
    ADD CONSTRAINT pk_logins PRIMARY KEY (user_id, number);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (key);
ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT pk_nodes PRIMARY KEY (name);
ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT pk_order_events PRIMARY KEY ("position");
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT pk_orders PRIMARY KEY (order_id);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT pk_revocations PRIMARY KEY (kind, value);
ALTER TABLE ONLY public.targets
    ADD CONSTRAINT pk_targets PRIMARY KEY (status);
ALTER TABLE ONLY public.watches
    ADD CONSTRAINT pk_watches PRIMARY KEY (pid, order_id);
ALTER TABLE ONLY public.webhook_messages
    ADD CONSTRAINT pk_webhook_messages PRIMARY KEY (webhook_id, "position", rank);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT pk_webhooks PRIMARY KEY (id);
ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT uq_order_events_order_id_version UNIQUE (order_id, version);
CREATE INDEX ix_fences_at ON public.fences USING btree (at);
CREATE INDEX ix_hook_messages_at ON public.hook_messages USING btree (at);
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_idempotency_keys_order_id ON public.idempotency_keys USING btree (order_id);
CREATE INDEX ix_logins_run ON public.logins USING btree (run) WHERE evicted;
CREATE INDEX ix_order_events_at_position ON public.order_events USING btree (at, "position");
CREATE INDEX ix_order_events_customer_id_position ON public.order_events USING btree (customer_id, "position");
CREATE INDEX ix_orders_created_at_order_id_search ON public.orders USING btree (created_at, order_id, search);
CREATE INDEX ix_orders_customer_id_created_at_order_id ON public.orders USING btree (customer_id, created_at, order_id);
CREATE INDEX ix_orders_shop_id_created_at_order_id ON public.orders USING btree (shop_id, created_at, order_id);
CREATE INDEX ix_orders_status_created_at_order_id ON public.orders USING btree (status, created_at, order_id);
CREATE INDEX ix_revocations_at ON public.revocations USING btree (at);
CREATE INDEX ix_watches_at ON public.watches USING btree (at);
