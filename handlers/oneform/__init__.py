"""一表申请: the applications of a stage as one form, each field asked once."""
