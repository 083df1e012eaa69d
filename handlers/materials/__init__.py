"""Materials: uploaded files, checked, stored by content, shared by the stages of a project."""
