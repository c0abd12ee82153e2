// Rows of tenants that are marked as deleted, with keys that are unique within a tenant.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

model School {
  id    Int    @id
  rooms Room[]
  desks Desk[]

  @@tenant
}

model Room {
  id        Int       @id(global: true)
  number    Int
  floor     Int       @default(0)
  schoolId  Int
  school    School    @relation(fields: [schoolId], references: [id])
  desks     Desk[]
  deletedAt DateTime? @softDelete

  @@unique([schoolId, id])
  @@unique([schoolId, number], where: { deletedAt: null })
  @@tenant(school)
}

model Desk {
  id        Int       @id(global: true)
  roomId    Int
  schoolId  Int
  school    School    @relation(fields: [schoolId], references: [id])
  room      Room      @relation(fields: [schoolId, roomId], references: [schoolId, id], onDelete: Cascade)
  deletedAt DateTime? @softDelete

  @@index([schoolId, roomId])
  @@tenant(school)
}
