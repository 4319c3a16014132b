# The words of the workshop. `make test` does everything from a fresh clone.

.PHONY: help setup build check test demo up down bench-tokenizer

help:
	@echo "make demo    set up, build, hold three turns on a stack of its own, check the sums"
	@echo "make up      set up, build, start a local stack; .run/env says where it is"
	@echo "make down    end that stack, keep its logs"
	@echo "make test    set up, check, build, run all tests"
	@echo "make check   formatting, tidy rules, generated code"
	@echo "make build   debug build"
	@echo "make bench-tokenizer   release build of the tokenizer, beside its peers from PyPI"
	@echo
	@echo "demo and up take RELAY_URL=... RELAY_KEY_FILE=... RELAY_MODEL=... for a real relay"

setup:
	@deploy/dev/setup.sh

build: setup
	@swift build

check: setup
	@deploy/dev/check.sh

test: setup
	@deploy/dev/test.sh

demo: build
	@deploy/dev/demo.py

up: build
	@deploy/dev/up.py

down:
	@deploy/dev/down.py

bench-tokenizer:
	@Tests/Benchmarks/Tokenizer/run.sh
