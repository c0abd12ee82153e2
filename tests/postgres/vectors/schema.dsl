// The types of pgvector.

datasource db {
  provider   = "postgresql"
  extensions = [vector]
}

generator client {
  provider = "relata"
  serde    = true
}

model Item {
  id     Int           @id @default(autoincrement())
  dense  Vector(3)
  half   HalfVec(3)?
  sparse SparseVec(5)?
  bits   Bit(4)?
  any    Vector?
  many   Vector(2)[]

  @@index([dense(ops: raw("vector_l2_ops"))], type: Hnsw)
  @@index([dense], type: IvfFlat, with: "lists=1", map: "item_lists")
  @@index([half(ops: raw("halfvec_ip_ops"))], type: Hnsw)
  @@index([sparse(ops: raw("sparsevec_l1_ops"))], type: Hnsw)
  @@index([bits(ops: raw("bit_jaccard_ops"))], type: Hnsw)
}

model Doc {
  id   Int         @id @default(autoincrement())
  emb  Vector(3)
  half HalfVec(2)?
}
