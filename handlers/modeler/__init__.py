"""What Camunda Modeler is given of the house: element templates and the lists its lint rules know."""
