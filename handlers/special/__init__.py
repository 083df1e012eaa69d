"""Special procedures (行政许可法 45): the random draw of experts without a conflict of interest."""
