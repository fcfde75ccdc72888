/**
 * JMH benchmarks of the kernels, one class for each: the scalar and the vector form side by side;
 * and the ceilings of the machine that they are measured against.
 *
 * <pre>
 *   mvn -pl benchmarks -am package -DskipTests
 *   java -jar benchmarks/target/benchmarks.jar Matmul -p format=Q4_K -p tokens=1
 * </pre>
 */
package dev.apus.benchmarks;
