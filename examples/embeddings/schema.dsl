// Texts with embeddings: vectors of the extension pgvector.

datasource db {
  provider   = "postgresql"
  extensions = [vector]
}

generator client {
  provider = "relata"
}

model Article {
  id        Int       @id @default(autoincrement())
  title     String
  language  String
  /// What a language model makes of the text. Real ones have hundreds of numbers.
  embedding Vector(3)

  @@index([embedding(ops: raw("vector_cosine_ops"))], type: Hnsw, with: "m=16, ef_construction=64")
  @@index([language])
  @@map("articles")
}
