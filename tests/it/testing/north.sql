INSERT INTO institutions (id, name, slug, updated_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'North', 'north', now());
