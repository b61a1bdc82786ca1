"""Runs a guest with the machine's own Python: `python3 guests/python/native/run.py hello`.

Arguments after the guest's name are the guest's.
"""

import importlib
import pathlib
import sys

# `wit_world` is found beside this file, where Python looks first; the guests are a folder above.
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
del sys.argv[0]
importlib.import_module(sys.argv[0].replace("-", "_")).Run().run()
