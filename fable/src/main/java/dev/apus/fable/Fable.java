package dev.apus.fable;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.file.ModelFiles;

/**
 * The storyteller that Apus ships: a hybrid of Gated DeltaNet, gated attention and a mixture of
 * experts with 7.6 million parameters, trained from scratch on public-domain fairy tales. It is
 * small enough to be a part of this jar, and made of the same parts as much larger models.
 *
 * <p>It needs the modules {@code dev.apus.attention} and {@code dev.apus.moe}, which come with this
 * one as dependencies.
 */
public final class Fable {

  private Fable() {}

  /** Opens the model with as many threads as processors. */
  public static Model open() {
    return open(ModelOptions.standard());
  }

  /** Opens the model. */
  public static Model open(ModelOptions options) {
    return Model.load(files(), options);
  }

  /** The files of the model, for tools that want to look into them. */
  public static ModelFiles files() {
    return new ResourceFiles("fable", "hybrid");
  }
}
