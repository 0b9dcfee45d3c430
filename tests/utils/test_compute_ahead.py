"""Results come in order, computed only so far ahead."""

import threading

import pytest

from echocardmae_mm.utils.compute_ahead import compute_ahead


@pytest.mark.parametrize('ahead', [0, 1, 2, 9])
@pytest.mark.parametrize('count', [0, 1, 5])
def test_results_are_in_the_order_of_the_items(ahead, count):
    assert [get() for get in compute_ahead(str, range(count), ahead)] == list('01234'[:count])


def test_an_error_is_raised_where_its_result_is_asked_for():
    gets = list(compute_ahead(lambda item: 1 // item, [1, 0, -1], 3))
    assert (gets[0](), gets[2]()) == (1, -1)
    with pytest.raises(ZeroDivisionError):
        gets[1]()


def test_works_only_so_far_ahead():
    begun, second = [], threading.Event()

    def note(item):
        begun.append(item)
        if item == 1:
            second.set()
        return item

    gets = compute_ahead(note, range(9), 1)
    assert next(gets)() == 0
    assert second.wait(60)  # the next one is computed without being asked for
    gets.close()
    assert sorted(begun) == [0, 1]
    begun.clear()
    assert next(compute_ahead(note, range(9), 0))() == 0
    assert begun == [0]
