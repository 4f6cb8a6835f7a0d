"""The project and what every app stands on."""
