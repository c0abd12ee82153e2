CREATE EXTENSION IF NOT EXISTS "vector";

CREATE TABLE "articles" (
  "id" SERIAL NOT NULL,
  "title" TEXT NOT NULL,
  "language" TEXT NOT NULL,
  "embedding" vector(3) NOT NULL,
  CONSTRAINT "articles_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "articles_embedding_idx" ON "articles" USING hnsw ("embedding" vector_cosine_ops) WITH (ef_construction=64, m=16);

CREATE INDEX "articles_language_idx" ON "articles" ("language");
