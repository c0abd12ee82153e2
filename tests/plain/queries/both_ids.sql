SELECT u.id, s.id, 'x' FROM users u JOIN students s ON s.user_id = u.id WHERE u.id = $1
