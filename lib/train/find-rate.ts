export async function findLearningRate() {}
