"""The server is killed in the middle of traffic: what it had acknowledged is there, and every job reaches its end."""

from killing import Loop


def test_nothing_that_was_acknowledged_is_lost_by_a_kill(make_home):
    report = Loop(make_home(), seed=7, has_driver=False).run(kills=3)
    assert (report["missing"], report["unfinished"], report["panics"]) == ([], {}, 0), report
    assert report["acknowledged"] > 100 and report["checked"] > 100, report
    assert set(report["jobs"]) <= {"succeeded"} and set(report["answers that were no success"]) <= {"None"}, report
