//! Objects that belong to the database as a whole, and everything that has a security label or a comment.

pub(super) fn queries() -> Vec<String> {
    [objects(), labels_and_comments()].concat()
}

/// Objects outside of schemas.
fn objects() -> Vec<String> {
    let free = |class: &str, alias: &str| {
        format!(
            "NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.{class}'::regclass AND e.objid = {alias}.oid
               AND e.deptype = 'e')"
        )
    };
    vec![
        format!(
            "SELECT 'event trigger', NULL::text, t.evtname::text, NULL, concat_ws(' ', t.evtevent, t.evtfoid::regproc, t.evtenabled, t.evttags)
             FROM pg_event_trigger AS t WHERE {}",
            free("pg_event_trigger", "t")
        ),
        "SELECT 'publication', NULL::text, p.pubname::text, NULL, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate,
           p.pubdelete, p.pubtruncate, p.pubviaroot,
           (SELECT string_agg(concat_ws(' ', t.schemaname, t.tablename, to_jsonb(t) ->> 'attnames', to_jsonb(t) ->> 'rowfilter'), ', '
              ORDER BY t.schemaname, t.tablename) FROM pg_publication_tables AS t WHERE t.pubname = p.pubname))
         FROM pg_publication AS p"
            .to_owned(),
        "SELECT 'subscription', NULL::text, s.subname::text, NULL, concat_ws(' ', s.subenabled, s.subpublications)
         FROM pg_subscription AS s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            .to_owned(),
        format!(
            "SELECT 'foreign server', NULL::text, s.srvname::text, NULL, concat_ws(' ', w.fdwname, s.srvtype, s.srvversion, s.srvoptions)
             FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw WHERE {}",
            free("pg_foreign_server", "s")
        ),
        format!(
            "SELECT 'cast', NULL::text, format('%s as %s', c.castsource::regtype, c.casttarget::regtype), NULL,
               concat_ws(' ', c.castfunc::regproc, c.castcontext, c.castmethod)
             FROM pg_cast AS c WHERE c.oid >= 16384 AND {}",
            free("pg_cast", "c")
        ),
        format!(
            "SELECT 'language', NULL::text, l.lanname::text, NULL, concat_ws(' ', l.lanpltrusted, l.lanplcallfoid::regproc)
             FROM pg_language AS l WHERE l.oid >= 16384 AND {}",
            free("pg_language", "l")
        ),
    ]
}

/// Security labels and comments.
fn labels_and_comments() -> Vec<String> {
    vec![
        "SELECT 'security label of ' || l.objtype, NULL::text, l.objname, l.provider, l.label FROM pg_seclabels AS l
         JOIN pg_namespace AS n ON n.oid = l.objnamespace WHERE n.nspname = ANY($1)"
            .to_owned(),
        // Comments on tables, views, sequences, enums, constraints and statistics are migrated. An extension brings its
        // own.
        "SELECT 'comment on ' || o.type, NULL::text, o.identity, NULL, s.description
         FROM pg_description AS s CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) AS o
         LEFT JOIN pg_class AS c ON s.classoid = 'pg_class'::regclass AND c.oid = s.objoid
         LEFT JOIN pg_constraint AS k ON s.classoid = 'pg_constraint'::regclass AND k.oid = s.objoid
         LEFT JOIN pg_type AS t ON s.classoid = 'pg_type'::regclass AND t.oid = s.objoid
         LEFT JOIN pg_type AS d ON d.oid = k.contypid
         LEFT JOIN pg_trigger AS g ON s.classoid = 'pg_trigger'::regclass AND g.oid = s.objoid
         LEFT JOIN pg_rewrite AS r ON s.classoid = 'pg_rewrite'::regclass AND r.oid = s.objoid
         LEFT JOIN pg_policy AS p ON s.classoid = 'pg_policy'::regclass AND p.oid = s.objoid
         LEFT JOIN pg_statistic_ext AS x ON s.classoid = 'pg_statistic_ext'::regclass AND x.oid = s.objoid
         LEFT JOIN pg_class AS v ON v.oid IN (g.tgrelid, r.ev_class, p.polrelid, x.stxrelid)
         LEFT JOIN pg_namespace AS n ON n.oid = COALESCE(v.relnamespace, d.typnamespace)
         WHERE s.objoid >= 16384 AND s.classoid <> 'pg_extension'::regclass
           -- What belongs to no schema, such as a publication, is read whatever schemas are looked at.
           AND COALESCE(CASE WHEN s.classoid = 'pg_namespace'::regclass THEN o.name ELSE COALESCE(o.schema, n.nspname) END = ANY($1), true)
           AND COALESCE(c.relkind NOT IN ('r', 'p', 'v', 'm', 'S', 'i', 'I'), true) AND COALESCE(k.conrelid, 0) = 0
           AND COALESCE(t.typtype <> 'e', true) AND COALESCE(v.relkind <> 'v', true)
           AND (x.oid IS NULL OR v.relkind = 'f' OR v.relispartition)
           AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = s.classoid AND e.objid = s.objoid AND e.deptype = 'e')"
            .to_owned(),
    ]
}
