"""The same job done as others do it; and the floors that this service stands on."""
