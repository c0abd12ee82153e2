// The client of the mistakes in tests/compile_errors about types of the program.

generator client {
  provider = "relata"
}

model Note {
  id    Int     @id
  text  String  @rust("crate::Text")
  place Place?  @json
  many  Place[] @json
}

type Place {
  name String?
  lat  Float
  tags String[]
}
