//! The examples of the book's page on recorded changes.
