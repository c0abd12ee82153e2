// People who belong to several tenants: the schema of docs/tenants.md.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

model School {
  id      String       @id @default(uuid()) @db.Uuid
  name    String
  members Membership[]

  @@tenant
}

/// The login of a person.
model Account {
  id           String       @id @default(uuid()) @db.Uuid
  email        String       @unique
  passwordHash String
  memberships  Membership[]

  @@shared
}

/// What one school knows of a person.
model Membership {
  schoolId  String  @db.Uuid
  school    School  @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  accountId String  @db.Uuid
  account   Account @relation(fields: [accountId], references: [id], onDelete: Restrict)
  name      String
  isAdmin   Boolean @default(false)

  @@id([schoolId, accountId])
  @@index([accountId])
  @@tenant(school)
}
