package dev.apus.core;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.Accounts.Account;
import dev.apus.core.weight.Quantization;
import dev.apus.core.weight.Requantization;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Writes a checkpoint anew with its matrices in another weight format, in the layout that it has:
 * tensors keep their names, and everything that is not a tensor stays as it is.
 *
 * <p>Tensors are read and written a few rows at a time: the memory need not hold them.
 */
public final class Quantizer {

  private Quantizer() {}

  /**
   * Writes a GGUF file's tensors into another, or a folder's into another folder: as {@code
   * model.safetensors}, or, where a matrix is in a format of blocks, as {@code model.gguf} with the
   * same names, which Apus alone opens.
   *
   * @param written is told the bytes of the old file that have been dealt with since it was told
   *     before
   * @return what became of the tensors of each kind
   */
  public static List<Account> write(
      Path from, Path to, Quantization rules, int threads, LongConsumer written)
      throws IOException {
    try (TensorFile tensors = ModelFiles.of(from).tensors();
        Workers workers = Workers.of(threads)) {
      var requantization = new Requantization(rules, workers, written);
      Collection<StoredTensor> all = tensors.tensors().values();
      if (Files.isDirectory(from)) {
        Files.createDirectories(to);
        ModelFiles.copySettings(from, to);
        boolean blocks = all.stream().anyMatch(tensor -> isOfBlocks(requantization.type(tensor)));
        if (blocks) {
          GgufWriter writer = new GgufWriter().text("general.architecture", "huggingface");
          add(all, requantization, writer).write(to.resolve("model.gguf"));
        } else {
          SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
          for (StoredTensor t : all) {
            writer.add(t.name(), requantization.type(t), t.shape(), requantization.content(t));
          }
          writer.write(to.resolve("model.safetensors"));
        }
      } else {
        GgufWriter writer = new GgufWriter();
        GgufCopy.metadata((Gguf) tensors, writer);
        writer.u32("general.file_type", GgufCopy.fileType(rules.format()));
        add(all, requantization, writer).write(to);
      }
      return requantization.accounts();
    }
  }

  private static GgufWriter add(
      Collection<StoredTensor> all, Requantization requantization, GgufWriter writer) {
    for (StoredTensor t : all) {
      writer.add(t.name(), requantization.type(t), t.shape(), requantization.content(t));
    }
    return writer;
  }

  private static boolean isOfBlocks(String type) {
    for (WeightFormat format : WeightFormat.values()) {
      if (format.name().equals(type)) {
        return format.blockLength() > 1;
      }
    }
    return false;
  }
}
