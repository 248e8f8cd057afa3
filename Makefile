# `make help` lists the commands. Everything runs in .venv, which the first call makes.

PYTHON ?= python3
# Scripts in .venv/bin name the folder where they were made, and fail once it has moved: python -m does not.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# DVC asks for the user's name, which a container may not have.
export LOGNAME ?= $(shell id -un 2>/dev/null || id -u)
# These change no result. Batches of many lengths fragment glibc's heap, by gigabytes in a long training: so tensors from
# 2 MB on get their own pages, which are freed with them, and free memory at the heap's end is returned from 16 MB on.
export MALLOC_MMAP_THRESHOLD_ := 2097152
export MALLOC_TRIM_THRESHOLD_ := 16777216
# By default, oneDNN keeps compiled code for the last 1024 shapes of a product.
export ONEDNN_PRIMITIVE_CACHE_CAPACITY := 64
# Pages of 2 MB, where Linux has them: an epoch of `average` on SST-2 takes 20.9 s of processor time instead of 26.7.
export THP_MEM_ALLOC_ENABLE := 1

.PHONY: help repro show demo corpus test faults lint docs bench gpu gpu-inputs stale gc resolve

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# RUN=sst2 copies runs/sst2.yaml to run.yaml, where it stays, so that every DVC command knows what was built.
repro: .venv/installed ## run what changed; RUN=sst2 chooses what to build, JOBS=2 how many stages run at once
	@$(if $(RUN),python -m maintenance.choose_run '$(RUN)')
	@python -m stages.check_params --out data/params.checked
	@mkdir -p results/imdb results/sst2 # deps of claims: DVC refuses a missing dep, but not an empty one
	@python -m maintenance.engine --jobs='$(subst ','\'',$(JOBS))' $(if $(KEEP_GOING),--keep-going)
	@python -m maintenance.next_steps

show: .venv/installed ## print the selected corpora's models with intervals; CORPUS=sst2 names another
	@python -m maintenance.show $(foreach name,$(CORPUS),'$(subst ','\'',$(name))')

demo: .venv/installed ## type a text on a local page and see what every trained model says; PORT=9000 is its address
	@python -m maintenance.demo $(if $(filter command,$(origin PORT)),--port='$(subst ','\'',$(value PORT))')

# Only what the command line sets, not the environment; each as one shell word, whatever characters it has.
corpus: .venv/installed ## describe your own texts: NAME=mine FILE=reviews.csv TEXT=Review LABEL=Rating
	@python -m maintenance.new_corpus $(foreach key,NAME FILE TEXT LABEL GROUP LEFT_OUT ENCODING,$(if $(filter \
		command,$(origin $(key))),'$(key)=$(subst ','\'',$(value $(key)))'))

# Two files at a time, each with one thread: torch's threads would wait for each other, and tests' networks are small.
test: .venv/installed ## run the tests
	@OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

faults: .venv/installed ## kill real runs at random points and compare how they end with clean ones
	@python -m tests.faults

lint: .venv/installed ## check style, and which way imports point
	@python -m ruff check . && python -m ruff format --check .
	@python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

docs: .venv/installed ## write docs/notebooks.md from what was measured, docs/parameters.md from the schema
	@python -m maintenance.notebook_parts
	@python -m maintenance.parameter_page

bench: .venv/installed ## measure speed against the usual ways
	@python -m pip install --quiet --disable-pip-version-check --no-deps gensim==4.4.0 smart_open==9.0.2 wrapt==2.5.2
	@python -m benchmarks

gpu: .venv/installed ## check and time every kind of model on a GPU
	@python -m benchmarks.gpu

gpu-inputs: .venv/installed ## pack what `make gpu` reads, for a machine without a network
	@python -m benchmarks.gpu.inputs

stale: .venv/installed ## name the committed results that are older than the code or the parameters
	@python -m maintenance.stale

gc: .venv/installed ## remove what no run in runs/ needs from DVC's cache
	@python -m maintenance.collect_garbage

resolve: .venv/installed ## in the middle of a merge: resolve the conflicts in what the pipeline wrote
	@python -m maintenance.resolve

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@
