package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.WeightScope.Typical;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The weights of a checkpoint, found through a family's table of names. */
public final class CheckpointWeights implements WeightSource {

  private final TensorFile file;
  private final WeightNames names;
  private final Set<String> read = new HashSet<>();

  public CheckpointWeights(TensorFile file, WeightNames names) {
    this.file = file;
    this.names = names;
  }

  @Override
  public StoredRows find(Key key, int rows, int cols, Typical typical) {
    List<WeightNames.Source> sources = names.find(key.name(), key.layer(), key.expert());
    if (sources.isEmpty()) {
      throw new WeightException(
          file.name() + ": this family's table of names has no row for " + key.name());
    }
    for (WeightNames.Source source : sources) {
      List<StoredTensor> tensors =
          source.names().stream().map(file.tensors()::get).filter(t -> t != null).toList();
      if (tensors.size() == source.names().size()) {
        read.addAll(source.names());
        return shaped(key, source, tensors, rows, cols, rows == 1 && typical != null);
      }
    }
    throw missing(key, firstMissing(sources.getFirst()), rows, cols);
  }

  @Override
  public long bytes() {
    return file.tensors().values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }

  @Override
  public void release(Key key) {
    names.find(key.name(), key.layer(), key.expert()).stream()
        .flatMap(source -> source.names().stream())
        .map(file.tensors()::get)
        .filter(tensor -> tensor != null)
        .forEach(StoredTensor::release);
  }

  @Override
  public void expectCopy(Key copy, Key original, int rows, int cols) {
    boolean there =
        names.find(copy.name(), copy.layer(), copy.expert()).stream()
            .anyMatch(source -> file.tensors().keySet().containsAll(source.names()));
    if (!there) {
      return;
    }
    StoredRows stored = find(copy, rows, cols, null);
    StoredRows used = find(original, rows, cols, null);
    if (!stored.sameBits(used)) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s differs from %s, but the config ties the two; remove it, or untie them",
              stored.source(),
              used.source()));
    }
    release(copy);
    release(original);
  }

  private String firstMissing(WeightNames.Source source) {
    return source.names().stream()
        .filter(name -> !file.tensors().containsKey(name))
        .findFirst()
        .orElseThrow();
  }

  private StoredRows shaped(
      Key key,
      WeightNames.Source source,
      List<StoredTensor> tensors,
      int rows,
      int cols,
      boolean vector) {
    boolean rearranged = source.conversion() != Conversion.AS_STORED;
    StoredRows found =
        source.conversion().read(tensors, tensor -> opened(tensor, rearranged, vector));
    if ((long) found.rows().size() * found.cols() == (long) rows * cols
        && (rows == 1 || cols == 1 || squeezable(tensors.getFirst(), rows, cols))) {
      found = found.reshaped(cols);
    }
    if (found.rows().size() != rows || found.cols() != cols) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s is %s, which gives [%d, %d]; %s must be [%d, %d]",
              tensors.getFirst().file(),
              tensors.getFirst().name(),
              tensors.getFirst().shape(),
              found.rows().size(),
              found.cols(),
              key,
              rows,
              cols));
    }
    return found;
  }

  /** A vector that is to be rearranged is met as one value a row. */
  private static StoredRows opened(StoredTensor tensor, boolean rearranged, boolean vector) {
    StoredRows rows = StoredRows.of(tensor);
    return rearranged && (vector || tensor.shape().size() == 1) && rows.format().blockLength() == 1
        ? rows.split()
        : rows;
  }

  /**
   * Whether the shapes differ by dimensions of one alone, as in a convolution's [channels, 1,
   * taps].
   */
  private static boolean squeezable(StoredTensor tensor, int rows, int cols) {
    return tensor.shape().stream()
        .filter(n -> n != 1)
        .toList()
        .equals(List.of((long) rows, (long) cols));
  }

  private WeightException missing(Key key, String name, int rows, int cols) {
    List<String> near =
        file.tensors().keySet().stream()
            .filter(n -> !read.contains(n))
            .sorted(Comparator.comparingInt(n -> -commonEnds(n, name)))
            .limit(3)
            .toList();
    return new WeightException(
        String.format(
            Locale.ROOT,
            "%s: %s needs the tensor %s [%d, %d], which is not there; nearest names: %s",
            file.name(),
            key,
            name,
            rows,
            cols,
            near.isEmpty() ? "none" : String.join(", ", near)));
  }

  private static int commonEnds(String a, String b) {
    int limit = Math.min(a.length(), b.length());
    int head = 0;
    while (head < limit && a.charAt(head) == b.charAt(head)) {
      head++;
    }
    int tail = 0;
    while (tail < limit - head
        && a.charAt(a.length() - 1 - tail) == b.charAt(b.length() - 1 - tail)) {
      tail++;
    }
    return head + tail;
  }

  @Override
  public List<String> unread() {
    return file.tensors().keySet().stream()
        .filter(name -> !read.contains(name) && !names.ignores(name) && !isCopy(name))
        .toList();
  }

  /**
   * Whether a tensor is there once more because layers share it.
   *
   * @throws WeightException if it should be and differs
   */
  private boolean isCopy(String name) {
    String original = names.original(name);
    if (original == null || !read.contains(original)) {
      return false;
    }
    StoredTensor copy = file.tensors().get(name);
    StoredTensor used = file.tensors().get(original);
    if (copy.type() != used.type()
        || !copy.shape().equals(used.shape())
        || copy.data().mismatch(used.data()) >= 0) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s differs from %s, but the layers share it; make them equal, or leave it out",
              name,
              original));
    }
    copy.release();
    used.release();
    return true;
  }
}
