#include "core/topology/bandwidth.hpp"

#include <doctest/doctest.h>

namespace {

using namespace aictl::topology;

TEST_CASE("bandwidth: PCI Express by generation and width") {
  CHECK(pcie_gbs(1, 16) == doctest::Approx(4.0));
  CHECK(pcie_gbs(2, 16) == doctest::Approx(8.0));
  CHECK(pcie_gbs(3, 16) == doctest::Approx(15.7538));
  CHECK(pcie_gbs(4, 16) == doctest::Approx(31.5077));
  CHECK(pcie_gbs(5, 16) == doctest::Approx(63.0154));
  CHECK(pcie_gbs(6, 16) == doctest::Approx(121));
  CHECK(pcie_gbs(4, 8) == doctest::Approx(15.7538));
  CHECK_FALSE(pcie_gbs(0, 16));
  CHECK_FALSE(pcie_gbs(7, 16));
  CHECK_FALSE(pcie_gbs(4, 0));
  CHECK(pcie_generation(2.5) == 1);
  CHECK(pcie_generation(16) == 4);
  CHECK(pcie_generation(64) == 6);
  CHECK(pcie_generation(15) == 0);
  CHECK(pcie_generation(0) == 0);
}

TEST_CASE("bandwidth: product names find their row, the narrower one first") {
  const auto name = [](std::string_view model) {
    return gpu_spec(model) == nullptr ? "" : gpu_spec(model)->name;
  };
  CHECK(name("NVIDIA H100 80GB HBM3") == "H100 SXM");
  CHECK(name("NVIDIA H100 PCIe") == "H100 PCIe");
  CHECK(name("NVIDIA H100 NVL") == "H100 NVL");
  CHECK(name("NVIDIA H200") == "H200");
  CHECK(name("NVIDIA GH200 480GB") == "GH200");
  CHECK(name("NVIDIA H20") == "H20");
  CHECK(name("NVIDIA A100-SXM4-80GB") == "A100 80 GB");
  CHECK(name("NVIDIA A100-PCIE-40GB") == "A100 40 GB");
  CHECK(name("Tesla V100-SXM3-32GB-H") == "V100 SXM");
  CHECK(name("Tesla V100-PCIE-16GB") == "V100 PCIe");
  CHECK(name("Tesla P100-SXM2-16GB") == "P100 SXM");
  CHECK(name("Tesla T4") == "T4");
  CHECK(name("NVIDIA L40S") == "L40S");
  CHECK(name("NVIDIA GeForce RTX 4090") == "RTX 4090");
  CHECK(name("NVIDIA RTX A6000") == "RTX A6000");
  CHECK(name("NVIDIA GB200") == "GB200");
  CHECK(name("NVIDIA B200") == "B200");
  CHECK(name("NVIDIA B300 SXM6 AC") == "B300");
  CHECK(name("NVIDIA GB10") == "GB10");
  CHECK(name("AMD Instinct MI300X") == "MI300X");
  CHECK(name("AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2") == "MI250X GCD");
  CHECK(name("NVIDIA A1000") == "");
  CHECK(name("") == "");
  CHECK(gpu_spec("NVIDIA H100 80GB HBM3")->nvlinks *
            gpu_spec("NVIDIA H100 80GB HBM3")->nvlink_gbs ==
        450);
  CHECK(gpu_spec("NVIDIA GeForce RTX 3090")->nvlinks *
            gpu_spec("NVIDIA GeForce RTX 3090")->nvlink_gbs ==
        56.25);
}

TEST_CASE("bandwidth: what people write for a GPU finds its row, however it is cut") {
  const auto name = [](std::string_view model) {
    return gpu_spec(model) == nullptr ? "" : gpu_spec(model)->name;
  };
  CHECK(name("h100-80gb") == "H100 SXM");
  CHECK(name("H100 SXM") == "H100 SXM");
  CHECK(name("H 100") == "H100 SXM");
  CHECK(name("h100sxm5") == "H100 SXM");
  CHECK(name("h100pcie") == "H100 PCIe");
  CHECK(name("H100NVL") == "H100 NVL");
  CHECK(name("a100 80GB") == "A100 80 GB");
  CHECK(name("a100-40g") == "A100 40 GB");
  CHECK(name("mi300x") == "MI300X");
  CHECK(name("rtx4090") == "RTX 4090");
  CHECK(name("RTX_3090_Ti") == "RTX 3090");
  CHECK(name("a10g") == "A10G");
  CHECK(name("A10") == "A10");
  CHECK(name("l40s") == "L40S");
  CHECK(name("gb200") == "GB200");
  CHECK(name("H100 80GB 200W") == "H100 SXM");  // no GB200
  CHECK(name("A1000") == "");
  CHECK(name("FOO") == "");
  for (const std::string_view one : gpu_names()) CHECK(name(one) == one);
}

TEST_CASE("bandwidth: sockets by processor, from its name or its CPUID") {
  CHECK(socket_gbs("Intel(R) Xeon(R) CPU E5-2697 v4 @ 2.30GHz") == 6);
  CHECK(socket_gbs("Intel(R) Xeon(R) Platinum 8174 CPU @ 3.10GHz") == 10);
  CHECK(socket_gbs("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz") == 10);
  CHECK(socket_gbs("Intel(R) Xeon(R) Platinum 8480+") == 22);
  CHECK(socket_gbs("INTEL(R) XEON(R) PLATINUM 8480C") == 6);  // unknown spelling: the least
  CHECK(socket_gbs("Intel(R) Xeon(R) Gold 6530") == 40);
  CHECK(socket_gbs("Intel(R) Xeon(R) 6980P") == 40);
  CHECK(socket_gbs("AMD EPYC 7742 64-Core Processor") == 16);
  CHECK(socket_gbs("POWER9, altivec supported") == 32);
  CHECK(socket_gbs("Neoverse-V2") == 6);
  CHECK(socket_gbs("GenuineIntel", 6, 79) == 6);
  CHECK(socket_gbs("GenuineIntel", 6, 85) == 10);
  CHECK(socket_gbs("GenuineIntel", 6, 143) == 22);
  CHECK(socket_gbs("GenuineIntel", 6, 207) == 40);
  CHECK(socket_gbs("AuthenticAMD", 25, 17) == 16);
}

}  // namespace
