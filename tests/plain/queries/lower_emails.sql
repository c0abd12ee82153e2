-- Writes addresses in lower case, as they are compared.
UPDATE users SET email = lower(email), updated_at = now() WHERE institution_id = $1 AND email <> lower(email)
