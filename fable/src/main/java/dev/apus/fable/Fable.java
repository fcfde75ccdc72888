package dev.apus.fable;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.file.ModelFiles;
import java.util.List;

/**
 * The storytellers that Apus ships. {@code fable-hybrid}, which is the default, is a hybrid of
 * Gated DeltaNet, gated attention and a mixture of experts with 7.6 million parameters, trained
 * from scratch on public-domain fairy tales. {@code fable-diffusion} is a masked diffusion model of
 * attention with 6.9 million, trained on the same tales, for canvases of the module {@code
 * dev.apus.diffusion}. They are small enough to be a part of this jar, and made of the same parts
 * as much larger models.
 *
 * <p>They need the modules {@code dev.apus.attention} and {@code dev.apus.moe}, which come with
 * this one as dependencies.
 */
public final class Fable {

  private static final String HYBRID = "fable-hybrid";
  private static final String DIFFUSION = "fable-diffusion";

  private Fable() {}

  /** The models' names; the first is the default. */
  public static List<String> names() {
    return List.of(HYBRID, DIFFUSION);
  }

  /** Opens the model with as many threads as processors. */
  public static Model open() {
    return open(ModelOptions.standard());
  }

  /** Opens the model. */
  public static Model open(ModelOptions options) {
    return Model.load(files(), options);
  }

  /**
   * Opens a model by its name.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public static Model open(String name, ModelOptions options) {
    return Model.load(files(name), options);
  }

  /** The files of the default model, for tools that want to look into them. */
  public static ModelFiles files() {
    return new ResourceFiles("fable", "hybrid");
  }

  /**
   * The files of a model.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public static ModelFiles files(String name) {
    return switch (name) {
      case HYBRID -> files();
      case DIFFUSION -> new ResourceFiles(DIFFUSION, "diffusion");
      default ->
          throw new IllegalArgumentException(
              "no model of the name " + name + " comes with Apus; there are " + names());
    };
  }
}
