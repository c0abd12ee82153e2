-- The same rows on every machine; keys are spread as random ones are.
CREATE FUNCTION bench_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
  AS $$ SELECT md5(kind || ':' || n)::uuid $$;

INSERT INTO institutions (id, name, slug, created_at, updated_at)
SELECT bench_id('institution', n), 'School of medicine ' || n, 'school-' || n, t, t
FROM generate_series(0, 19) AS n, LATERAL (SELECT timestamptz '2024-01-01' + n * interval '1 day' AS t) AS at;

INSERT INTO users (id, institution_id, email, password_hash, role, created_at, updated_at)
SELECT bench_id('user', n), bench_id('institution', n % 20),
  substr('abcdefghijklmnopqrstuvwxyz', (n / 20 % 26)::int + 1, 1) || '.person.' || n || '@school.example',
  '$argon2id$v=19$m=19456,t=2,p=1$' || md5('salt' || n) || '$' || md5('hash' || n),
  (ARRAY['ADMIN', 'FACULTY', 'STUDENT', 'STUDENT', 'STUDENT'])[n / 20 % 5 + 1]::role, t, t
FROM generate_series(0, 19999) AS n, LATERAL (SELECT timestamptz '2024-02-01' + n * interval '1 minute' AS t) AS at;

INSERT INTO students (id, user_id, institution_id, class_year, has_accommodations, created_at, updated_at)
SELECT bench_id('student', n), bench_id('user', n), bench_id('institution', n % 20), 2020 + n * 37 % 11, n % 13 = 0, t, t
FROM generate_series(0, 19999) AS n, LATERAL (SELECT timestamptz '2024-03-01' + n * interval '1 minute' AS t) AS at;

-- Ten for each institution: number n is the institution's n / 20th.
INSERT INTO exam_types (id, institution_id, code, name, default_weight, created_at, updated_at)
SELECT bench_id('exam type', n), bench_id('institution', n % 20), 'STEP' || n / 20, 'Licensing exam, step ' || n / 20,
  0.1 * (1 + n % 5), t, t
FROM generate_series(0, 199) AS n, LATERAL (SELECT timestamptz '2024-01-10' + n * interval '1 hour' AS t) AS at;

-- Five for each student, of types that the student's institution offers.
INSERT INTO student_exams (id, student_id, exam_type_id, scheduled_on, weight, score, created_at, updated_at)
SELECT bench_id('exam', n), bench_id('student', n % 20000),
  bench_id('exam type', n % 20 + 20 * ((n / 20000 + n / 20) % 10)),
  CASE WHEN n % 7 > 0 THEN date '2025-01-01' + (n % 365)::int END,
  CASE WHEN n % 3 > 0 THEN 0.1 * (1 + n % 9) END,
  CASE WHEN n % 6 > 0 THEN (n * 7907 % 1000) / 10.0 END, t, t
FROM generate_series(0, 99999) AS n, LATERAL (SELECT timestamptz '2024-09-01' + n * interval '1 second' AS t) AS at;

INSERT INTO sessions (id, user_id, expires_at, created_at)
SELECT bench_id('session', n), bench_id('user', n % 20000), timestamptz '2090-01-01' + n * interval '1 minute', now()
FROM generate_series(0, 39999) AS n;
