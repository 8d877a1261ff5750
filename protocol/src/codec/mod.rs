//! The small JSON reader and writer of the widget.
