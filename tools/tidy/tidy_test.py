"""Tests of tidy.py: each rule passes what it should and finds what it should."""

import unittest

import tidy

RULES = tidy.parse_rules(
    """
    # a comment
    root protocol/include
    layer protocol :
    layer storage : protocol storage/env
    layer storage/env : protocol
    layer broker : storage
    layer broker/main : *
    layer tests : *
    never storage : fcntl.h sys/
    never_use storage : system_clock
    only rocksdb/ : storage
    source_only arrow/ boost/beast *.pb.h
    """
)


def messages(path, text, files=()):
    return [str(finding) for finding in tidy.check_file(path, text, RULES, set(files).__contains__)]


def source(*lines):
    return "\n".join(("// Purpose.",) + lines) + "\n"


def header(*lines):
    return source("#pragma once", *lines)


class Layers(unittest.TestCase):
    def test_allows_itself_and_what_is_listed(self):
        text = source('#include "storage/log.h"', '#include "protocol/batch.h"', '#include "storage/env/env.h"')
        self.assertEqual(messages("storage/log.cc", text), [])

    def test_refuses_a_layer_that_is_not_listed(self):
        found = messages("protocol/a.cc", source('#include "storage/log.h"'))
        self.assertEqual(found, ["protocol/a.cc:2: protocol may not include storage/log.h (of storage); it may include nothing but itself"])

    def test_does_not_inherit_what_a_neighbour_may(self):
        self.assertEqual(len(messages("broker/a.cc", source('#include "protocol/batch.h"'))), 1)

    def test_takes_the_longest_layer(self):
        self.assertEqual(len(messages("storage/env/a.cc", source('#include "storage/log.h"'))), 1)
        self.assertEqual(RULES.layer_of("broker/main.cc"), "broker/main")
        self.assertEqual(RULES.layer_of("broker/main_loop.cc"), "broker")
        self.assertEqual(RULES.layer_of("brokers/a.cc"), None)

    def test_a_star_allows_everything(self):
        self.assertEqual(messages("broker/main.cc", source('#include "protocol/batch.h"')), [])

    def test_looks_headers_up_in_roots_and_beside_the_file(self):
        files = ["protocol/include/sluice/status.h", "storage/near.h"]
        text = source('#include "sluice/status.h"', '#include "near.h"')
        self.assertEqual(messages("storage/a.cc", text, files), [])
        self.assertEqual(len(messages("broker/a.cc", source('#include "sluice/status.h"'), files)), 1)

    def test_knows_generated_headers_by_their_folder(self):
        self.assertEqual(len(messages("protocol/a.cc", source('#include "storage/stored.pb.h"'))), 1)

    def test_ignores_quoted_headers_of_others(self):
        self.assertEqual(messages("protocol/a.cc", source('#include "zstd.h"')), [])

    def test_every_code_file_needs_a_layer(self):
        self.assertIn("no layer", messages("client/a.cc", source())[0])

    def test_refuses_rules_it_does_not_know(self):
        for text in ("layers storage :", "layer storage protocol", "never storage :", "root", "layer a : b"):
            with self.assertRaises(ValueError):
                tidy.parse_rules(text)


class Headers(unittest.TestCase):
    def test_never(self):
        self.assertEqual(len(messages("storage/a.cc", source("#include <fcntl.h>", "#include <sys/stat.h>"))), 2)
        self.assertEqual(messages("storage/env/a.cc", source("#include <fcntl.h>", "#include <sys/stat.h>")), [])
        self.assertEqual(messages("storage/a.cc", source("#include <system_error>")), [])

    def test_only(self):
        self.assertEqual(messages("storage/a.cc", source("#include <rocksdb/db.h>")), [])
        self.assertEqual(len(messages("tests/a.cc", source("#include <rocksdb/db.h>"))), 1)

    def test_source_only(self):
        for name in ("<arrow/api.h>", "<boost/beast.hpp>", "<boost/beast/core.hpp>", '"storage/stored.pb.h"'):
            self.assertEqual(messages("tests/a.cc", source(f"#include {name}")), [])
            self.assertEqual(len(messages("tests/a.h", header(f"#include {name}"))), 1)
        self.assertEqual(messages("tests/a.h", header("#include <boost/asio.hpp>")), [])

    def test_words(self):
        self.assertEqual(len(messages("storage/a.cc", source("auto now = std::chrono::system_clock::now();"))), 1)
        self.assertEqual(messages("storage/a.cc", source("// system_clock", 'auto a = "system_clock"; int system_clocks;')), [])

    def test_pragma_once(self):
        self.assertIn("#pragma once", messages("protocol/a.h", source())[0])


class Files(unittest.TestCase):
    def test_opens_with_a_comment(self):
        self.assertEqual(len(messages("protocol/a.cc", "int a;\n")), 1)
        self.assertEqual(len(messages("protocol/a.cc", "")), 1)
        self.assertEqual(messages("tools/a.py", '#!/usr/bin/env python3\n'), [])
        self.assertEqual(len(messages("tools/a.py", "import os\n")), 1)

    def test_length(self):
        self.assertEqual(messages("protocol/a.cc", source(*["int a;"] * (tidy.FILE_LINES_MAX - 1))), [])
        self.assertEqual(len(messages("protocol/a.cc", source(*["int a;"] * tidy.FILE_LINES_MAX))), 1)
        self.assertEqual(messages("docs/a.md", "text\n" * 5000), [])

    def test_forbidden_words(self):
        for word in ("TO" + "DO", "FIX" + "ME", "NO" + "LINT", "NO" + "LINTNEXTLINE"):
            self.assertEqual(len(messages("protocol/a.cc", source(f"// {word}: later"))), 1)
            self.assertEqual(len(messages("docs/a.md", f"{word}\n")), 1)
        self.assertEqual(messages("protocol/a.cc", source("// MASTODON")), [])


def spans(*lines):
    return list(tidy.functions("\n".join(lines) + "\n"))


class Functions(unittest.TestCase):
    def test_counts_signature_and_body(self):
        self.assertEqual(spans("int A(int a,", "      int b) {", "  return a;", "}"), [(1, 4)])

    def test_finds_functions_in_namespaces_and_classes(self):
        self.assertEqual(
            spans("namespace a::b {", "class C : public D<int> {", " public:", "  C() = default;", "  int Get() const { return x_; }",
                  "  int x_ = 0;", "};", "void F() {", "}", "}"),
            [(5, 5), (8, 9)])

    def test_counts_nested_braces_and_lambdas_once(self):
        self.assertEqual(spans("void F() {", "  if (a) {", "    for (;;) { g([&] { h(); }); }", "  }", "}"), [(1, 5)])

    def test_is_not_fooled_by_literals_comments_and_macros(self):
        self.assertEqual(
            spans("#define OPEN() {", "void F() {  // {", '  a = "}{"; b = \'{\'; c = R"x({ " {)x"; d = 1\'000;', "  /* { */", "}"),
            [(2, 5)])

    def test_tables_are_not_functions(self):
        self.assertEqual(spans("const int kTable[Size(3)] = {", "1,", "};", "struct S { int a{1}; };", "enum class E { kA };"), [])

    def test_constructors_with_initialisers(self):
        self.assertEqual(spans("C::C(int a)", "    : a_(a), b_(a) {", "  F();", "}"), [(1, 4)])

    def test_templates_and_test_cases(self):
        self.assertEqual(spans("template <typename T>", "T F(T t) {", "}", 'TEST_CASE("a: b", "[c]") {', "}"), [(1, 3), (4, 5)])

    def test_length(self):
        long_body = ["void F() {"] + ["  a();"] * (tidy.FUNCTION_LINES_MAX - 1) + ["}"]
        self.assertEqual(len(messages("protocol/a.cc", source(*long_body))), 1)
        self.assertEqual(messages("protocol/a.cc", source(*long_body[:-2], "}")), [])


class Tree(unittest.TestCase):
    def test_an_empty_tree_is_a_failure_not_a_pass(self):
        with self.assertRaises(FileNotFoundError):
            tidy.check_tree("/nonexistent")


if __name__ == "__main__":
    unittest.main()
