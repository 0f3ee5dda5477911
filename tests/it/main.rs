//! Integration tests: one module a promise.
