CREATE TYPE "priority" AS ENUM ('LOW', 'NORMAL', 'HIGH', 'URGENT');

CREATE TYPE "role" AS ENUM ('ADMIN', 'AGENT');

CREATE TYPE "status" AS ENUM ('OPEN', 'WAITING', 'SOLVED');

CREATE TABLE "_TagToTicket" (
  "A" INTEGER NOT NULL,
  "B" INTEGER NOT NULL,
  CONSTRAINT "_TagToTicket_AB_pkey" PRIMARY KEY ("A", "B")
);

CREATE TABLE "agents" (
  "id" UUID NOT NULL,
  "email" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "role" "role" NOT NULL DEFAULT 'AGENT',
  "token_hash" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "agents_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "comments" (
  "id" SERIAL NOT NULL,
  "ticket_id" INTEGER NOT NULL,
  "author_id" UUID NOT NULL,
  "text" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "deleted_at" TIMESTAMPTZ(3),
  CONSTRAINT "comments_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "customers" (
  "id" UUID NOT NULL,
  "email" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "company" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "deleted_at" TIMESTAMPTZ(3),
  CONSTRAINT "customers_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "tags" (
  "id" SERIAL NOT NULL,
  "name" TEXT NOT NULL,
  CONSTRAINT "tags_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "tickets" (
  "id" SERIAL NOT NULL,
  "customer_id" UUID NOT NULL,
  "assignee_id" UUID,
  "subject" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "status" "status" NOT NULL DEFAULT 'OPEN',
  "priority" "priority" NOT NULL DEFAULT 'NORMAL',
  "due_on" DATE,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "solved_at" TIMESTAMPTZ(3),
  "deleted_at" TIMESTAMPTZ(3),
  CONSTRAINT "tickets_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "work_entries" (
  "id" SERIAL NOT NULL,
  "ticket_id" INTEGER NOT NULL,
  "agent_id" UUID NOT NULL,
  "worked_on" DATE NOT NULL,
  "minutes" INTEGER NOT NULL,
  "cost" DECIMAL(10,2) NOT NULL,
  CONSTRAINT "work_entries_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "work_entries_cost_check" CHECK (cost >= 0),
  CONSTRAINT "work_entries_minutes_check" CHECK (minutes > 0)
);

CREATE INDEX "_TagToTicket_B_index" ON "_TagToTicket" ("B");

CREATE UNIQUE INDEX "agents_email_key" ON "agents" ("email");

CREATE UNIQUE INDEX "agents_token_hash_key" ON "agents" ("token_hash");

CREATE INDEX "comments_author_id_idx" ON "comments" ("author_id");

CREATE INDEX "comments_ticket_id_idx" ON "comments" ("ticket_id");

CREATE UNIQUE INDEX "customers_email_key" ON "customers" ("email") WHERE "deleted_at" IS NULL;

CREATE UNIQUE INDEX "tags_name_key" ON "tags" ("name");

CREATE INDEX "tickets_assignee_id_idx" ON "tickets" ("assignee_id");

CREATE INDEX "tickets_created_at_idx" ON "tickets" ("created_at");

CREATE INDEX "tickets_customer_id_idx" ON "tickets" ("customer_id");

CREATE INDEX "tickets_solved_at_idx" ON "tickets" ("solved_at");

CREATE INDEX "work_entries_agent_id_idx" ON "work_entries" ("agent_id");

CREATE INDEX "work_entries_ticket_id_idx" ON "work_entries" ("ticket_id");

CREATE INDEX "work_entries_worked_on_idx" ON "work_entries" ("worked_on");

ALTER TABLE "_TagToTicket" ADD CONSTRAINT "_TagToTicket_A_fkey" FOREIGN KEY ("A") REFERENCES "tags"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "_TagToTicket" ADD CONSTRAINT "_TagToTicket_B_fkey" FOREIGN KEY ("B") REFERENCES "tickets"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "comments" ADD CONSTRAINT "comments_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "comments" ADD CONSTRAINT "comments_ticket_id_fkey" FOREIGN KEY ("ticket_id") REFERENCES "tickets"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "tickets" ADD CONSTRAINT "tickets_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "agents"("id") ON DELETE SET NULL ON UPDATE CASCADE;

ALTER TABLE "tickets" ADD CONSTRAINT "tickets_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "work_entries" ADD CONSTRAINT "work_entries_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "work_entries" ADD CONSTRAINT "work_entries_ticket_id_fkey" FOREIGN KEY ("ticket_id") REFERENCES "tickets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
