//! A GitLab made of recorded answers.
