"""Shows that each rule of lint.py finds what it is for: a clean file, and one change at a time."""

import tempfile
import unittest
from pathlib import Path

from . import descriptors, lint

CLEAN = """syntax = "proto3";

package shop.v1;

import "shop/v1/thing.proto";

// Sells things.
service ShopService {
  // Buys a thing.
  rpc Buy(BuyRequest) returns (BuyResponse);
}

// What Buy is asked.
message BuyRequest {
  // The thing.
  Thing thing = 1;
  // Makes the call safe to repeat.
  optional string request_id = 2;
  // How it is paid.
  oneof payment {
    // With a card.
    string card = 3;
  }
  // Notes.
  map<string, string> notes = 4;
}

// What Buy answers.
message BuyResponse {}

// A colour.
enum Colour {
  // None.
  COLOUR_UNSPECIFIED = 0;
  // Red.
  COLOUR_RED = 1;
}
"""
THING = """syntax = "proto3";
package shop.v1;
// A thing.
message Thing {
  // Its name.
  string name = 1;
}
"""

# What is changed, into what, and a piece of the finding.
CHANGES = [
    ("// Sells things.\n", "", "ShopService: no comment"),
    ("  // Buys a thing.\n", "", "ShopService.Buy: no comment"),
    ("// What Buy is asked.\n", "", "BuyRequest: no comment"),
    ("  // The thing.\n", "", "BuyRequest.thing: no comment"),
    ("  // How it is paid.\n", "", "BuyRequest.payment: no comment"),
    ("    // With a card.\n", "", "BuyRequest.card: no comment"),
    ("// A colour.\n", "", "Colour: no comment"),
    ("  // Red.\n", "", "Colour.COLOUR_RED: no comment"),
    ("ShopService", "Shop", "does not end with Service"),
    ("ShopService", "shopService", "wrong case"),
    ("rpc Buy(", "rpc Take(", "is not TakeRequest"),
    ("BuyResponse", "BuyAnswer", "is not BuyResponse"),
    ("rpc Buy(BuyRequest) returns (BuyResponse)", "rpc Buy(BuyRequest) returns (BuyRequest)",
     "BuyRequest is not BuyResponse"),
    ("(BuyResponse);\n", "(BuyResponse);\n  // Again.\n  rpc Sell(BuyRequest) returns (Thing);\n",
     "BuyRequest is also another method's"),
    ("request_id", "request_key", "request_id belongs"),
    ("rpc Buy(", "rpc List(", "request_id belongs"),
    ("string card", "string Card", "Card: wrong case"),
    ("oneof payment", "oneof Payment", "Payment: wrong case"),
    ("BuyResponse", "buy_response", "message buy_response: wrong case"),
    ("enum Colour", "enum colour", "enum colour: wrong case"),
    ("COLOUR_RED", "COLOUR_red", "COLOUR_red: wrong case"),
    ("COLOUR_RED", "RED", "does not begin with COLOUR_"),
    ("COLOUR_UNSPECIFIED", "COLOUR_NONE", "is not COLOUR_UNSPECIFIED"),
    ("enum Colour {", "enum Colour {\n  option allow_alias = true;\n  // Also red.\n"
     "  COLOUR_UNSPECIFIED = 0;\n  // Rosy.\n  COLOUR_ROSY = 1;", "aliases"),
    ("  Thing thing = 1", "  string thing = 1", "imports shop/v1/thing.proto for nothing"),
    ('import "shop/v1/thing.proto"', 'import public "shop/v1/thing.proto"', "not plain"),
    ("message BuyResponse {}", "message BuyResponse {\n  // Itself.\n  BuyResponse again = 1;\n}",
     "message shop.v1.BuyResponse: holds itself"),
    ("package shop.v1;", "package shop.v2;", "the folder is not the package's"),
    ("package shop.v1;", "package shop;", "the package has no version"),
    ('syntax = "proto3";\n', 'syntax = "proto2";\n', "not proto3"),
]


def _findings(main, thing=THING, name="shop.proto"):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "shop/v1"
        home.mkdir(parents=True)
        (home / name).write_text(main)
        (home / "thing.proto").write_text(thing)
        return lint.findings(descriptors.compile_protos(Path(folder)))


class LintTest(unittest.TestCase):
    """Each rule, by one change to a clean file."""

    def test_clean(self):
        """Nothing is found where nothing is wrong."""
        self.assertEqual(_findings(CLEAN), [])

    def test_file_name(self):
        """A file's name is in lower case."""
        found = _findings(CLEAN, name="Shop.proto")
        self.assertIn("shop/v1/Shop.proto: file Shop: wrong case", found)

    def test_each_change_is_found(self):
        """Each change brings its finding."""
        for before, after, expected in CHANGES:
            with self.subTest(before=before, after=after):
                self.assertIn(before, CLEAN)
                changed = CLEAN.replace(before, after)
                if "COLOUR_UNSPECIFIED = 0;\n  // Rosy" in after:
                    changed = changed.replace("  // None.\n  COLOUR_UNSPECIFIED = 0;\n", "")
                if "package shop" in after:
                    changed = changed.replace("  Thing thing", "  shop.v1.Thing thing")
                if "proto2" in after:
                    changed = changed.replace("Thing thing", "optional Thing thing")
                found = _findings(changed)
                self.assertTrue(any(expected in line for line in found), found)
