package dev.apus.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The one place that chooses a vector width; {@code -XX:MaxVectorSize} changes it for a test run.
 */
@SuppressWarnings("exports") // only the kernels themselves use it
public final class Lanes {

  public static final VectorSpecies<Float> F32 = FloatVector.SPECIES_PREFERRED;

  private Lanes() {}
}
