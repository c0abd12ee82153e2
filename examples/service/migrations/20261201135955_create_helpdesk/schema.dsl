// A helpdesk: customers write tickets, and agents answer them.

datasource db {
  provider = "postgresql"
}

generator client {
  provider  = "relata"
  serde     = true
  factories = true
}

enum Role {
  ADMIN
  AGENT

  @@map("role")
}

enum Status {
  OPEN
  WAITING
  SOLVED

  @@map("status")
}

/// From the least to the most urgent, which is also the order in PostgreSQL.
enum Priority {
  LOW
  NORMAL
  HIGH
  URGENT

  @@map("priority")
}

/// Someone who answers tickets.
model Agent {
  id        String      @id @default(uuid(7)) @db.Uuid
  email     String      @unique @rust("crate::Email")
  name      String      @rust("crate::Name")
  role      Role        @default(AGENT)
  /// The SHA-256 of the token that the agent sends with each request. The token itself is not kept.
  tokenHash String      @unique @map("token_hash") @omit @sensitive
  createdAt DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt DateTime    @updatedAt @map("updated_at") @db.Timestamptz(3)
  tickets   Ticket[]
  comments  Comment[]
  work      WorkEntry[]

  @@map("agents")
}

/// Someone who writes tickets.
model Customer {
  id        String    @id @default(uuid(7)) @db.Uuid
  email     String    @unique(where: { deletedAt: null }) @rust("crate::Email")
  name      String    @rust("crate::Name")
  company   String?
  createdAt DateTime  @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt DateTime  @updatedAt @map("updated_at") @db.Timestamptz(3)
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(3) @softDelete
  tickets   Ticket[]

  @@map("customers")
}

/// What a customer asks for. The id is the number that everybody sees.
model Ticket {
  id         Int         @id @default(autoincrement())
  customerId String      @map("customer_id") @db.Uuid
  customer   Customer    @relation(fields: [customerId], references: [id], onDelete: Cascade)
  assigneeId String?     @map("assignee_id") @db.Uuid
  assignee   Agent?      @relation(fields: [assigneeId], references: [id], onDelete: SetNull)
  subject    String      @rust("crate::Name")
  text       String
  status     Status      @default(OPEN)
  priority   Priority    @default(NORMAL)
  dueOn      DateTime?   @map("due_on") @db.Date
  createdAt  DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt  DateTime    @updatedAt @map("updated_at") @db.Timestamptz(3)
  solvedAt   DateTime?   @map("solved_at") @db.Timestamptz(3)
  deletedAt  DateTime?   @map("deleted_at") @db.Timestamptz(3) @softDelete
  comments   Comment[]
  work       WorkEntry[]
  tags       Tag[]

  @@index([customerId])
  @@index([assigneeId])
  @@index([createdAt])
  @@index([solvedAt])
  @@map("tickets")
}

/// An answer to a ticket.
model Comment {
  id        Int       @id @default(autoincrement())
  ticketId  Int       @map("ticket_id")
  ticket    Ticket    @relation(fields: [ticketId], references: [id], onDelete: Cascade)
  authorId  String    @map("author_id") @db.Uuid
  author    Agent     @relation(fields: [authorId], references: [id], onDelete: Restrict)
  text      String
  createdAt DateTime  @default(now()) @map("created_at") @db.Timestamptz(3)
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(3) @softDelete

  @@index([ticketId])
  @@index([authorId])
  @@map("comments")
}

/// Time that an agent spent on a ticket. It is billed, so it stays when the ticket is deleted.
model WorkEntry {
  id       Int      @id @default(autoincrement())
  ticketId Int      @map("ticket_id")
  ticket   Ticket   @relation(fields: [ticketId], references: [id], onDelete: Restrict)
  agentId  String   @map("agent_id") @db.Uuid
  agent    Agent    @relation(fields: [agentId], references: [id], onDelete: Restrict)
  workedOn DateTime @map("worked_on") @db.Date
  minutes  Int
  cost     Decimal  @db.Decimal(10, 2)

  @@index([ticketId])
  @@index([agentId])
  @@index([workedOn])
  @@map("work_entries")
  @@check("minutes > 0", name: "work_entries_minutes_check")
  @@check("cost >= 0", name: "work_entries_cost_check")
}

model Tag {
  id      Int      @id @default(autoincrement())
  name    String   @unique @rust("crate::Name")
  tickets Ticket[]

  @@map("tags")
}
