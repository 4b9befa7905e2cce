# The front door. Everything real is in meson.build, tests/run, bench/run and examples/demo.
BUILD   ?= build
DESTDIR ?=
PREFIX  ?= /usr/local

.PHONY: all check demo bench install format lint clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet
	@tools/link-programs $(BUILD)
	@echo "built wherry, wherryd, wherry-registry and what they run, in $(BUILD)/"

$(BUILD)/build.ninja: meson.build
	@tools/dependencies build
	@meson setup $(BUILD) --prefix=$(PREFIX) >$(BUILD).log 2>&1 || { cat $(BUILD).log; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

demo: all
	@examples/demo

check: all
	@tools/dependencies check
	@tests/run

bench: all
	@tools/dependencies bench
	@BUILD=$(BUILD) bench/run

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

lint: all
	@tools/dependencies check
	@tools/lint

clean:
	@rm -rf $(BUILD) $(BUILD)-asan
