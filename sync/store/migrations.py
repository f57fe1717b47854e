"""The schema, as numbered steps. A step that was released is never changed; a new one is added after it.

Instants are microseconds since 1970 (UTC), money is in cents, sets and objects are JSON.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            as_of INTEGER NOT NULL,
            started INTEGER NOT NULL,
            ended INTEGER,
            verdict TEXT CHECK (verdict IN ('ok', 'partial', 'failed', 'refused')),
            summary TEXT NOT NULL DEFAULT '{}'
        ) STRICT""",
        """CREATE TABLE cursor (
            account TEXT NOT NULL,
            stream TEXT NOT NULL,
            cursor TEXT NOT NULL,
            PRIMARY KEY (account, stream)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT""",
        """CREATE TABLE person_email (
            email TEXT PRIMARY KEY,
            person_id INTEGER NOT NULL REFERENCES person
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE contact (
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            object TEXT NOT NULL,
            email TEXT,
            email_key TEXT,
            emails TEXT NOT NULL DEFAULT '[]',
            consent TEXT NOT NULL,
            created_at INTEGER,
            properties TEXT NOT NULL,
            owned TEXT NOT NULL,
            deleted INTEGER NOT NULL,
            writable INTEGER NOT NULL,
            merged_into TEXT,
            changed_at INTEGER NOT NULL,
            person_id INTEGER REFERENCES person,
            PRIMARY KEY (account, id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE INDEX contact_person ON contact (person_id)""",
        # Who objects to profiling, by consent or by the config's rules: never scored. Made anew after each pull.
        """CREATE TABLE excluded (person_id INTEGER PRIMARY KEY) STRICT""",
        """CREATE TABLE alias (
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            contact_id TEXT NOT NULL,
            PRIMARY KEY (account, id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE activity (
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            contact_id TEXT,
            email TEXT,
            amount INTEGER,
            currency TEXT,
            campaign TEXT,
            machine INTEGER NOT NULL,
            PRIMARY KEY (account, id)
        ) STRICT, WITHOUT ROWID""",
        # One row per activity of a person: told by the contact (through merges), else by the address.
        """CREATE VIEW person_activity AS
            SELECT coalesce(c.person_id, e.person_id) AS person_id,
                a.kind, a.at, a.amount, a.currency, a.campaign, a.machine, a.account
            FROM activity a
            LEFT JOIN alias m ON m.account = a.account AND m.id = a.contact_id
            LEFT JOIN contact c ON c.account = a.account AND c.id = coalesce(m.contact_id, a.contact_id)
            LEFT JOIN person_email e ON e.email = a.email
            WHERE coalesce(c.person_id, e.person_id) IS NOT NULL""",
        """CREATE TABLE model (
            id INTEGER PRIMARY KEY,
            objective TEXT NOT NULL,
            trained_at INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            artefact BLOB NOT NULL,
            card TEXT NOT NULL,
            UNIQUE (objective, trained_at)
        ) STRICT""",
        """CREATE TABLE prediction (
            objective TEXT NOT NULL,
            as_of INTEGER NOT NULL,
            person_id INTEGER NOT NULL,
            model_id INTEGER NOT NULL REFERENCES model,
            horizon_days INTEGER NOT NULL,
            value REAL NOT NULL,
            rule REAL,
            outcome REAL,
            PRIMARY KEY (objective, as_of, person_id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE standing (
            as_of INTEGER NOT NULL,
            person_id INTEGER NOT NULL,
            segment TEXT NOT NULL,
            membership TEXT NOT NULL,
            fields TEXT NOT NULL,
            reasons TEXT NOT NULL,
            PRIMARY KEY (as_of, person_id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE outbox (
            id INTEGER PRIMARY KEY,
            plan TEXT NOT NULL,
            account TEXT NOT NULL,
            contact_id TEXT NOT NULL,
            object TEXT NOT NULL,
            email TEXT,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'confirmed', 'failed', 'superseded')),
            reason TEXT NOT NULL DEFAULT '',
            attempts INTEGER NOT NULL DEFAULT 0,
            UNIQUE (plan, account, contact_id)
        ) STRICT""",
        """CREATE INDEX outbox_open ON outbox (state) WHERE state IN ('pending', 'sent')""",
    ),
    (
        # Salted hashes of the addresses and contacts of people who are to be forgotten: they are not taken in again.
        """CREATE TABLE forgotten (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID""",
    ),
    (
        # Which arm a prediction belongs to: `act` or `control` where scores are written, else `none`.
        """ALTER TABLE prediction ADD COLUMN arm TEXT NOT NULL DEFAULT 'none'""",
        """CREATE TABLE wave (
            as_of INTEGER PRIMARY KEY,
            mode TEXT NOT NULL,
            holdout REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE realised (
            objective TEXT NOT NULL,
            as_of INTEGER NOT NULL,
            horizon_days INTEGER NOT NULL,
            model_id INTEGER NOT NULL REFERENCES model,
            found TEXT NOT NULL,
            PRIMARY KEY (objective, as_of)
        ) STRICT, WITHOUT ROWID""",
        """ALTER TABLE model ADD COLUMN verdict TEXT NOT NULL DEFAULT ''""",
        """CREATE TABLE promotion (
            objective TEXT NOT NULL,
            at INTEGER NOT NULL,
            model_id INTEGER NOT NULL REFERENCES model,
            cause TEXT NOT NULL CHECK (cause IN ('first', 'replaced', 'evidence', 'rollback')),
            why TEXT NOT NULL,
            PRIMARY KEY (objective, at)
        ) STRICT, WITHOUT ROWID""",
        # Until this step the newest model was always the one in use.
        """INSERT INTO promotion SELECT objective, trained_at, id, 'replaced', '' FROM model""",
        """CREATE TABLE level (
            model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,
            at INTEGER NOT NULL,
            slope REAL NOT NULL,
            intercept REAL NOT NULL,
            rule_slope REAL NOT NULL,
            rule_intercept REAL NOT NULL,
            PRIMARY KEY (model_id, at)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE move (
            person_id INTEGER NOT NULL,
            at INTEGER NOT NULL,
            origin TEXT NOT NULL,
            target TEXT NOT NULL,
            cause TEXT NOT NULL CHECK (cause IN ('event', 'decay', 'model change', 'data gap')),
            value INTEGER NOT NULL,
            PRIMARY KEY (person_id, at)
        ) STRICT, WITHOUT ROWID""",
        """CREATE INDEX move_at ON move (at)""",
    ),
    (
        # Calls made on `day`, and the platform's own daily quota, where it tells one.
        """CREATE TABLE calls (
            account TEXT PRIMARY KEY,
            day TEXT NOT NULL,
            calls INTEGER NOT NULL,
            quota INTEGER
        ) STRICT, WITHOUT ROWID""",
        # The last time an account's contacts were all read anew: `ended` is null while that goes on. Those it brings
        # are `seen`, until it is `settled` who is gone.
        """CREATE TABLE full_pass (
            account TEXT PRIMARY KEY,
            began INTEGER NOT NULL,
            ended INTEGER,
            settled INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE seen (
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            PRIMARY KEY (account, id)
        ) STRICT, WITHOUT ROWID""",
        # When a change was confirmed or refused: refused ones are tried again after a while.
        """ALTER TABLE outbox ADD COLUMN settled_at INTEGER""",
        """CREATE INDEX outbox_contact ON outbox (account, contact_id)""",
    ),
    (
        # How many people went where in periods of about so many days: kept for good, unlike standings.
        """CREATE TABLE flow (
            days INTEGER NOT NULL,
            since INTEGER NOT NULL,
            until INTEGER NOT NULL,
            origin TEXT NOT NULL,
            target TEXT NOT NULL,
            people INTEGER NOT NULL,
            money INTEGER NOT NULL,
            PRIMARY KEY (days, until, origin, target)
        ) STRICT, WITHOUT ROWID""",
        # What a human knows better: the segment a person is to be in, until an instant.
        """CREATE TABLE pin (
            person_id INTEGER PRIMARY KEY,
            segment TEXT NOT NULL,
            score INTEGER,
            at INTEGER NOT NULL,
            until INTEGER NOT NULL
        ) STRICT""",
    ),
    (
        # What of ours the platform has acknowledged: what it holds otherwise was edited by hand, and stays for a while.
        """ALTER TABLE contact ADD COLUMN confirmed TEXT NOT NULL DEFAULT '{}'""",
        """CREATE TABLE field_pin (
            account TEXT NOT NULL,
            contact_id TEXT NOT NULL,
            field TEXT NOT NULL,
            value TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (account, contact_id, field)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # From when on changes of a property are noted: `since` is null until all contacts were read with it once.
        """CREATE TABLE watched (
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            named INTEGER NOT NULL,
            since INTEGER,
            PRIMARY KEY (account, name)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE property_change (
            account TEXT NOT NULL,
            contact_id TEXT NOT NULL,
            name TEXT NOT NULL,
            seen_at INTEGER NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            PRIMARY KEY (account, contact_id, name, seen_at)
        ) STRICT, WITHOUT ROWID""",
        """CREATE INDEX property_reached ON property_change (name, after)""",
    ),
    (
        # Who was let into a pilot that the config limits to some people: they stay in.
        """CREATE TABLE pilot (person_id INTEGER PRIMARY KEY) STRICT""",
    ),
    (
        # The lists and campaigns a pilot is limited to, and who is on them: read anew by every pull.
        """CREATE TABLE roster (
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            problem TEXT NOT NULL,
            PRIMARY KEY (account, name)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE on_roster (
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            contact_id TEXT NOT NULL,
            PRIMARY KEY (account, name, contact_id)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # When somebody was scored who was not at `as_of`, because an account of theirs could not be read; else null.
        """ALTER TABLE standing ADD COLUMN scored_at INTEGER""",
    ),
    (
        # Marks of the addresses and contacts of people who had left all platforms, and when they were let go of:
        # nothing from before comes in again, unless they do. See sync/store/departed.py.
        """CREATE TABLE departed (mark TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
        # Whoever deletes a person has these looked at.
        """CREATE INDEX person_email_person ON person_email (person_id)""",
    ),
)
