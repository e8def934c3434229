// The same properties with the number of runs of the night.
import './hostile-output.test.ts'
