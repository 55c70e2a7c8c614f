"""Do the settings of a training go together? Every pair of them, in as few trainings as hold them all."""
