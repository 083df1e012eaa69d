"""Files that programs keep beside process variables (Camunda 8's documents): a variable holds the reference, here lies the content."""
