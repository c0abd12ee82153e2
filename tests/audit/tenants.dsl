// Recorded changes of tenants, whom row security keeps apart.

datasource db {
  provider    = "postgresql"
  rowSecurity = true
}

generator client {
  provider = "relata"
}

model School {
  id       String    @id @default(uuid()) @db.Uuid
  name     String
  students Student[]

  @@tenant
  @@audited
}

model Student {
  id       Int
  schoolId String @db.Uuid
  school   School @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  name     String

  @@id([schoolId, id])
  @@tenant(school)
  @@audited
}

model Country {
  code String @id
  name String

  @@shared
  @@audited
}
