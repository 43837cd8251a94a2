# The README's two commands. Each links a DuckDB library that is given (DUCKDB_LIB_DIR) or can be downloaded, and
# compiles DuckDB where there is none; it says which.

SHELL := /bin/sh
DUCKDB := settings=$$(.ci/libduckdb) && eval "$$settings"
OUT := $(or $(CARGO_TARGET_DIR),target)/demo

.PHONY: demo test

# A CSV file into DuckDB and back out, its columns sorted by name.
demo:
	@$(DUCKDB) && cargo build --release --locked $$FEATURES && \
	run() { printf '\n$$ duckstream %s\n' "$$*"; "$${CARGO_TARGET_DIR:-target}/release/duckstream" "$$@"; } && \
	rm -rf '$(OUT)' && mkdir -p '$(OUT)' && \
	run load fixtures/demo/flights.csv --db '$(OUT)/demo.duckdb' --null-values NA && \
	run export --db '$(OUT)/demo.duckdb' flights '$(OUT)/flights.csv' && \
	run export --db '$(OUT)/demo.duckdb' --sql 'SELECT carrier, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay FROM flights GROUP BY carrier ORDER BY flights DESC, carrier LIMIT 3' - && \
	printf '\n$$ head -n 3 %s\n' '$(OUT)/flights.csv' && head -n 3 '$(OUT)/flights.csv'

# Every test.
test:
	@$(DUCKDB) && cargo test --release --locked $$FEATURES
