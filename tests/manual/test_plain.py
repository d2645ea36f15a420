"""Pages as text for a terminal."""

from rigger.manual import plain

PAGE = """\
Title
=====

A paragraph with ``code``, **weight**, a :doc:`glossary` and a :doc:`way out <failures>`,
that goes on for longer than a terminal of eighty columns is wide, so that it is filled.

* one
  and more
* two

``--term WORD``
    What it is.

.. image:: picture.svg
   :alt: nothing

.. code-block:: bash

    echo ``date``    # stays

Like this::

    $ rigger  test

See `there <https://example.com>`_.
"""


def test_markup_is_gone_and_code_stays():
    assert plain.text(PAGE).splitlines() == [
        "Title",
        "=====",
        "",
        'A paragraph with code, weight, a "rigger docs glossary" and a way out, that',
        "goes on for longer than a terminal of eighty columns is wide, so that it is",
        "filled.",
        "",
        "* one and more",
        "* two",
        "",
        "--term WORD",
        "    What it is.",
        "",
        "    echo ``date``    # stays",
        "",
        "Like this:",
        "",
        "    $ rigger  test",
        "",
        "See there (https://example.com).",
    ]
