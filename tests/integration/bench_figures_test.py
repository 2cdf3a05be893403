"""How the benchmarks make figures and verdicts of what they read (tests/bench/figures.py)."""
import importlib.util
import pathlib
import unittest

# By its path: tests/bench has modules of the same names as this folder.
SPEC = importlib.util.spec_from_file_location("figures", pathlib.Path(__file__).parents[1] / "bench/figures.py")
figures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(figures)

CONSOLE = """[    1.5] tsc: Refined TSC clocksource calibration
LOOP 10000000 10016083
TAKE 64 500 1000000 19000000
TAKE 64 2000 19000000 89500000
CALLS 64 500 10 2100
CALLS 64 2000 2100 10140
"""
# Before and after the loop, then before and after each of the two loads of a cell; the first column is the program's.
MARKS = "0 1 2\n0 1 2\n100 1 2\n4000100 1 2\n4000100 1 2\n19000100 1 2\n"
PERF = """12345,,instructions:u,471641,100.00,,
<not supported>,,instructions:k,0,100.00,,
<not counted>,,cycles,0,100.00,,
29,,raw_syscalls:sys_enter,471641,100.00,,
"""


def found(**instructions):
    """Figures of cells as merge() makes them, from LABEL__CELL=instructions."""
    out = {}
    for key, value in instructions.items():
        label, cell = key.split("__")
        cell = {"c64": "64", "headers": figures.BROWSER}[cell]
        out.setdefault(figures.LOGGED if label == "logged" else label, {})[cell] = figures.combine(
            {"instructions": value, "user": value / 4, "calls": 4.1}, {})
    return out


class Readings(unittest.TestCase):
    def test_machine_difference_of_two_loads(self):
        result = figures.parse_machine(CONSOLE, MARKS)
        self.assertEqual(result["loop"], (10_000_000, 10_016_083))
        self.assertEqual(result["cells"], {"64": {"instructions": (70_500_000 - 18_000_000) / 1500,
                                                  "user": (15_000_000 - 4_000_000) / 1500,
                                                  "calls": (8040 - 2090) / 1500}})

    def test_counters_that_cannot_count(self):
        self.assertEqual(figures.parse_counters(PERF), {"instructions:u": 12345, "instructions:k": None, "cycles": None,
                                                        "raw_syscalls:sys_enter": 29})

    def test_counters_stand_in_for_the_machine(self):
        combined = figures.combine({}, {"instructions:u": 7.0, "instructions:k": 27.0, "cycles": 50.0,
                                        "raw_syscalls:sys_enter": 4.0, "cpu_us": 18.0, "rps": 1.0})
        self.assertEqual((combined["instructions"], combined["user"], combined["calls"]), (34.0, 7.0, 4.0))

    def test_median(self):
        self.assertEqual(figures.middles([{"a": 1, "b": None}, {"a": 9, "b": None}, {"a": 2, "b": None}]),
                         {"a": 2, "b": None})


class Targets(unittest.TestCase):
    def verdicts(self, **instructions):
        return [met for _, _, met in figures.targets(found(**instructions))]

    def test_all_met_at_the_limit(self):
        self.assertEqual(self.verdicts(grayd__c64=37_500, nginx__c64=50_000, haproxy__c64=60_000, logged__c64=39_300,
                                       grayd__headers=39_000, nginx__headers=60_000), [True] * 5)

    def test_each_missed(self):
        self.assertEqual(self.verdicts(grayd__c64=38_001, nginx__c64=50_000, haproxy__c64=58_000, logged__c64=40_000,
                                       grayd__headers=39_100, nginx__headers=60_000), [False] * 5)

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(self.verdicts(grayd__c64=30_000), [True])
        self.assertEqual(self.verdicts(nginx__c64=30_000), [])

    def test_cycles_against_the_better_peer(self):
        timed = {name: {"64": figures.combine({}, {"cycles": cycles})}
                 for name, cycles in (("grayd", 50), ("nginx", 60), ("haproxy", 58))}
        self.assertEqual([(value, met) for _, value, met in figures.targets(timed)], [("0.862", False)])

    def test_table_has_a_row_for_each_cell(self):
        rows = figures.rows(found(grayd__c64=34_706, nginx__c64=45_787))
        self.assertEqual([(row["proxy"], row["instructions"], row["kernel"]) for row in rows],
                         [("grayd", "34,706", "26,030"), ("nginx", "45,787", "34,340")])


if __name__ == "__main__":
    unittest.main()
